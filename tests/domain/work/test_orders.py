"""A work order, case by case: what its type allows, to whom, in which state."""

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from orchestrator.domain.kernel import Event, Instant, Refused
from orchestrator.domain.work import orders as o
from orchestrator.domain.work.ordertypes import FieldSpec, Move, OrderType, OrderTypeConfigured, StateSpec
from tests.domain.cases import NOW, Case

AGENT, LEADER, AUDITOR = ("agent",), ("leader",), ("auditor",)
KIND = OrderType(
    type_id="delivery",
    settings=OrderTypeConfigured(
        name="Delivery",
        first="open",
        fields=(
            FieldSpec(id="waybill", name="Waybill", required=True),
            FieldSpec(id="address", name="Address", kind="lines", personal=True),
        ),
        states=(
            StateSpec(id="open", name="Open", on_assign="assigned"),
            StateSpec(id="assigned", name="Assigned"),
            StateSpec(id="on_the_way", name="On the way"),
            StateSpec(id="delivered", name="Delivered", kind="done"),
            StateSpec(id="closed", name="Closed", kind="closed"),
        ),
        moves=(
            Move(action="send", name="Send", before=("open", "assigned"), after="on_the_way"),
            Move(action="done", name="Delivered", before=("assigned", "on_the_way"), after="delivered"),
            Move(action="reopen", name="Reopen", before=("delivered", "closed"), after="open", roles=LEADER),
            Move(action="close", name="Close", before=("delivered",), after="closed", roles=LEADER),
        ),
        may={"assign": LEADER},
    ),
)
OPENED = o.OrderOpened(
    type_id="delivery",
    state="open",
    contact_id="c1",
    customer_id="k1",
    fields={"waybill": "SF1"},
    personal={"address": "Nanjing Road 1"},
)
ASSIGNED = o.OrderAssigned(assignee="user:ann", state="assigned")
SENT = o.OrderMoved(action="send", state="on_the_way")
DELIVERED = o.OrderDone(action="done", state="delivered")
CLOSED = o.OrderClosed(action="close", state="closed")


def given(*history: Event, kind: OrderType | None = KIND) -> Case[o.Order, o.Command]:
    return Case(o.evolve, lambda order, command: o.decide(order, command, kind), history)


def act(action: str, roles: tuple[str, ...] = LEADER, note: str = "") -> o.Act:
    return o.Act(roles=roles, action=action, note=note)


OPEN = o.Open(roles=AGENT, fields={"waybill": " SF1 ", "address": "Nanjing Road 1"}, contact_id="c1", customer_id="k1")


def test_an_order_begins_in_its_types_first_state_with_personal_fields_apart() -> None:
    """Feature 6.1; law 11: what the type marks as personal stands where it is sealed."""
    order = given().when(OPEN).then(OPENED)
    assert order is not None
    assert (order.state, order.kind, order.opened_at) == ("open", "open", NOW)
    assert (order.fields, order.personal) == ({"waybill": "SF1"}, {"address": "Nanjing Road 1"})


def test_the_same_opening_again_is_nothing() -> None:
    given(OPENED).when(OPEN).then()


def test_of_a_type_that_is_gone_no_more_orders_are_opened_but_those_there_are_finished() -> None:
    """Feature 6.1."""
    gone = OrderType(type_id="delivery", settings=KIND.settings, open=False)
    given(kind=gone).when(OPEN).refused("no_such_type")
    given(kind=None).when(OPEN).refused("no_such_type")
    given(OPENED, ASSIGNED, kind=gone).when(act("done")).then(DELIVERED)
    given(OPENED, kind=None).when(act("done")).refused("no_such_type")


def test_every_mistake_in_the_fields_is_told_at_once() -> None:
    """Bad input."""
    with pytest.raises(Refused) as refused:
        o.decide(None, o.Open(roles=AGENT, fields={"addres": "x", "address": "a\u202eb"}), KIND)
    assert refused.value.code == "bad_fields"
    assert "no field 'addres'" in refused.value.message
    assert "Waybill is missing" in refused.value.message
    assert "U+202E" in refused.value.message


def test_who_gets_it_is_an_event_and_leads_to_the_state_that_the_type_says() -> None:
    """Feature 6.1: assigned; the first time the state changes too, later it does not."""
    order = given(OPENED).when(o.Assign(roles=LEADER, assignee="user:ann")).then(ASSIGNED)
    assert order is not None
    assert (order.assignee, order.state) == ("user:ann", "assigned")
    given(OPENED, ASSIGNED).when(o.Assign(roles=LEADER, assignee="user:ann")).then()
    other = o.OrderAssigned(assignee="role:back_office", state="on_the_way")
    given(OPENED, ASSIGNED, SENT).when(o.Assign(roles=LEADER, assignee="role:back_office")).then(other)


def test_the_kind_of_the_next_state_decides_what_is_recorded() -> None:
    """Feature 6.1: done, reopened and closed are events of their own, whatever a site calls its states."""
    given(OPENED).when(act("send")).then(SENT)
    given(OPENED, SENT).when(act("done")).then(DELIVERED)
    given(OPENED, SENT, DELIVERED).when(act("close")).then(CLOSED)
    reopened = o.OrderReopened(action="reopen", state="open")
    for end in ((DELIVERED,), (DELIVERED, CLOSED)):
        order = given(OPENED, ASSIGNED, SENT, *end).when(act("reopen")).then(reopened)
        assert order is not None
        assert (order.kind, order.assignee) == ("open", "user:ann")
        again = o.Assign(roles=LEADER, assignee="user:ann")
        given(OPENED, ASSIGNED, SENT, *end, reopened).when(again).then(ASSIGNED)


def test_a_move_may_bring_a_note() -> None:
    noted = o.OrderDone(action="done", state="delivered", note="left with\nthe neighbour")
    given(OPENED, SENT).when(act("done", note=" left with \r\nthe neighbour ")).then(noted)


def test_what_has_come_true_already_is_nothing_the_second_time() -> None:
    """Two who press `done` at once: one event, and no error for the other."""
    given(OPENED, SENT, DELIVERED).when(act("done")).then()
    given(OPENED, SENT, DELIVERED, CLOSED).when(act("close")).then()


def test_a_move_that_the_state_does_not_allow_is_refused_with_those_that_it_does() -> None:
    with pytest.raises(Refused, match="possible is: send") as refused:
        o.decide(given(OPENED).state, act("close"), KIND)
    assert refused.value.code == "not_now"
    given(OPENED).when(act("fly")).refused("not_now")
    given().when(act("done")).refused("no_such_order")


def test_who_may_do_what_is_the_types_data() -> None:
    """Feature 6.1."""
    given(OPENED, SENT, DELIVERED).when(act("close", AGENT)).refused("not_allowed")
    given(OPENED).when(o.Assign(roles=AGENT, assignee="user:ann")).refused("not_allowed")
    given(OPENED).when(o.Note(roles=AUDITOR, text="x")).refused("not_allowed")
    given(OPENED).when(o.Amend(roles=AUDITOR, fields={})).refused("not_allowed")
    given().when(o.Open(roles=AUDITOR, fields={"waybill": "SF1"})).refused("not_allowed")
    order = given(OPENED, SENT, DELIVERED).state
    assert order is not None
    assert [move.action for move in o.possible(order, KIND, LEADER)] == ["reopen", "close"]
    assert o.possible(order, KIND, AGENT) == ()


def test_a_note_is_kept_and_an_empty_one_refused() -> None:
    given(OPENED).when(o.Note(roles=AGENT, text=" called back ")).then(o.OrderNoted(text="called back"))
    given(OPENED).when(o.Note(roles=AGENT, text=" \n ")).refused("empty_note")


def test_amending_records_only_what_changes_and_can_empty_a_field() -> None:
    changed = o.OrderAmended(fields={}, personal={"address": ""})
    order = given(OPENED).when(o.Amend(roles=AGENT, fields={"waybill": "SF1", "address": ""})).then(changed)
    assert order is not None
    assert order.personal == {}
    given(OPENED).when(o.Amend(roles=AGENT, fields={"waybill": ""})).refused("bad_fields")
    given(OPENED, SENT, DELIVERED, CLOSED).when(o.Amend(roles=AGENT, fields={"address": "x"})).refused("order_closed")
    given(OPENED, DELIVERED, CLOSED).when(o.Assign(roles=LEADER, assignee="user:bo")).refused("order_closed")


def test_an_order_whose_state_the_type_no_longer_has_says_what_is_possible() -> None:
    strange = o.OrderMoved(action="send", state="somewhere")
    given(OPENED, strange).when(act("done")).refused("not_now")
    kept = o.OrderAssigned(assignee="user:ann", state="somewhere")
    given(OPENED, strange).when(o.Assign(roles=LEADER, assignee="user:ann")).then(kept)


def test_people_call_an_order_by_eight_digits() -> None:
    assert o.reference("7f3a21c9-0000-0000-0000-000000000000") == "7F3A-21C9"


_OTHERS = (o.OrderNoted(text="x"), o.OrderReopened(action="reopen", state="open"), o.OrderAmended(fields={"a": "2"}))
EVENTS = st.sampled_from((OPENED, ASSIGNED, SENT, DELIVERED, CLOSED, *_OTHERS))
COMMANDS = st.sampled_from(
    (
        OPEN,
        o.Assign(roles=LEADER, assignee="user:ann"),
        o.Note(roles=AGENT, text="x"),
        o.Amend(roles=AGENT, fields={"address": "x"}),
        *map(act, ("send", "done", "reopen")),
    )
)


@for_any(st.lists(EVENTS, max_size=8), COMMANDS)
def test_whatever_happened_deciding_answers_or_refuses_and_folding_never_fails(
    history: list[Event], command: o.Command
) -> None:
    order: o.Order | None = None
    for event in history:
        order = o.evolve(order, event, Instant(NOW), "x1")
    try:
        events = o.decide(order, command, KIND)
    except Refused:
        return
    for event in events:
        order = o.evolve(order, event, NOW, "x1")
    assert order is not None
    assert KIND.state(order.state) is not None
