"""Types of work in the site's file: read with advice, planned row by row, written back as they were."""

from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.access.users import ROLES
from orchestrator.domain.kernel import Event
from orchestrator.domain.work import ordertypes
from orchestrator.domain.work.ordertypes import (
    Choice,
    FieldSpec,
    Move,
    OrderTypeConfigured,
    OrderTypeRemoved,
    StateSpec,
)
from orchestrator.service import configuration, site_file, site_text
from orchestrator.service.site_file import BadConfiguration
from tests.store.kit import Kit

PICKUP = """\
[ordertype.pickup]
name = "Pick-up"
names = { zh = "取件" }
first = "open"
fields = [
    { id = "address", name = "Address", required = true, personal = true },
    { id = "window", name = "When", kind = "choice", choices = [{ id = "am", name = "Morning" }] },
]
states = [
    { id = "open", name = "Open", on_assign = "assigned" },
    { id = "assigned", name = "Assigned" },
    { id = "done", name = "Done", kind = "done" },
]
moves = [
    { action = "done", name = "Collected", from = ["open", "assigned"], to = "done", roles = ["agent"] },
]
"""


def test_a_type_of_work_is_data() -> None:
    """Feature 6.1: fields, states and who may do what, from the site's file."""
    (kind,) = site_file.read(PICKUP, region="CN").events.values()
    assert kind == OrderTypeConfigured(
        name="Pick-up",
        names={"zh": "取件"},
        first="open",
        fields=(
            FieldSpec(id="address", name="Address", required=True, personal=True),
            FieldSpec(id="window", name="When", kind="choice", choices=(Choice(id="am", name="Morning"),)),
        ),
        states=(
            StateSpec(id="open", name="Open", on_assign="assigned"),
            StateSpec(id="assigned", name="Assigned"),
            StateSpec(id="done", name="Done", kind="done"),
        ),
        moves=(Move(action="done", name="Collected", before=("open", "assigned"), after="done", roles=("agent",)),),
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    (
        (
            'first = "open"',
            'first = "opne"',
            "line 4: ordertype.pickup.first: there is no state opne; there are assigned",
        ),
        ('first = "open"', 'first = "done"', "first: an order cannot begin in done, which is not open."),
        ('first = "open"\n', "", "line 1: ordertype.pickup: first is missing."),
        ('kind = "done"', 'kind = "open"', "line 9: ordertype.pickup.states: no state is done or closed"),
        (
            'kind = "choice"',
            'kind = "chioce"',
            "fields: entry window: kind: 'chioce' is none of these; did you mean choice?",
        ),
        ('kind = "choice", ', "", "fields: window has choices but is no choice."),
        (', choices = [{ id = "am", name = "Morning" }]', "", "fields: window needs choices."),
        ('{ id = "am", name = "Morning" }', '{ id = "am" }', "entry window: choices: entry am: name is missing."),
        ('id = "address"', 'id = "window"', "fields: window stands here twice."),
        ('id = "address"', 'id = "../x"', "fields: entry ../x: id: write an id of up to 40 small letters"),
        ("required = true", "requird = true", "entry address: requird: there is no such key; did you mean required?"),
        ("required = true", 'required = "yes"', "entry address: required: write true or false, without quotes."),
        ('roles = ["agent"]', 'roles = ["agnt"]', "entry done: roles: 'agnt' is none of these; did you mean agent?"),
        ('to = "done"', 'to = "gone"', "moves: done: there is no state gone; there are assigned, done, open."),
        ('from = ["open", "assigned"]', 'from = "open"', 'entry done: from: write a list of 1 to 60, such as ["open"]'),
        ('action = "done"', 'action = "assign"', "moves: assign is there for every order; name the move otherwise."),
        ('on_assign = "assigned"', 'on_assign = "given"', "states: open: there is no state given to assign to"),
        ('names = { zh = "取件" }', 'names = { chinese = "取件" }', "names: write names in other languages"),
        ('names = { zh = "取件" }', 'may = { opn = ["agent"] }', "may: opn: there is no such key; did you mean open?"),
        ("moves = [\n", 'moves = [\n    "done",\n', "moves: entry 1: write a table, such as { action"),
    ),
)
def test_a_mistake_in_a_type_is_told_with_what_to_write(old: str, new: str, message: str) -> None:
    """Feature 6.1; bad input: a typo in the configuration."""
    assert old in PICKUP
    with pytest.raises(BadConfiguration) as refused:
        site_file.read(PICKUP.replace(old, new, 1), region="CN")
    assert any(message in problem for problem in refused.value.problems), refused.value.problems


def test_two_ways_out_of_one_state_by_one_action_are_refused() -> None:
    twice = PICKUP.replace(
        "moves = [\n", 'moves = [\n    { action = "done", name = "Also", from = ["open"], to = "assigned" },\n'
    )
    with pytest.raises(BadConfiguration, match="done leads from open to two states"):
        site_file.read(twice, region="CN")


def test_the_demos_own_types_are_complete() -> None:
    """Feature 6.1: pick-up, delivery, enquiry and complaint; each can be opened, finished and reopened by somebody."""
    text = resources.files("orchestrator.service").joinpath("site.toml").read_text(encoding="utf-8")
    types = {
        stream: event
        for stream, event in site_file.read(text, region="CN").events.items()
        if isinstance(event, OrderTypeConfigured)
    }
    assert set(types) == {"ordertype-pickup", "ordertype-delivery", "ordertype-enquiry", "ordertype-complaint"}
    for event in types.values():
        reached = {event.first}
        for _ in event.states:
            reached |= {state.on_assign for state in event.states if state.id in reached and state.on_assign}
            reached |= {move.after for move in event.moves if reached.intersection(move.before)}
        assert reached == {state.id for state in event.states}
        assert {move.action for move in event.moves} >= {"done", "reopen", "close"}
        choices = [choice for field in event.fields for choice in field.choices]
        things: list[FieldSpec | StateSpec | Move | Choice] = [*event.fields, *event.states, *event.moves, *choices]
        for thing in things:
            assert ordertypes.label(thing, "zh") != thing.name
        assert ordertypes.label(event, "zh") != event.name


def test_a_changed_row_is_planned_as_that_row(kit: Kit) -> None:
    """Law 6: the plan says in words what would change, and applying it is an event."""
    configuration.apply(kit.log, kit.desk, "main", PICKUP, actor="admin:ann", region="CN")
    changed = PICKUP.replace('name = "Collected"', 'name = "Fetched"')
    planned = configuration.plan(kit.log, "main", changed, region="CN")
    row = '{ action = "done", name = "%s", from = ["open", "assigned"], to = "done", roles = ["agent"] },'
    assert planned.text().splitlines()[:4] == [
        "~ ordertype pickup is changed",
        "      moves:",
        "          - " + row % "Collected",
        "          + " + row % "Fetched",
    ]
    configuration.apply(kit.log, kit.desk, "main", changed, actor="admin:ann", region="CN")
    assert not configuration.plan(kit.log, "main", configuration.export(kit.log, "main"), region="CN").changes
    configuration.apply(kit.log, kit.desk, "main", "", actor="admin:ann", region="CN")
    assert [type(record.event) for record in kit.log.stream("ordertype-pickup")] == [
        OrderTypeConfigured,
        OrderTypeConfigured,
        OrderTypeRemoved,
    ]


_ids = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
_text = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=80).map(str.strip).filter(bool)
_names = st.dictionaries(st.sampled_from(["de", "en", "zh"]), _text).map(lambda found: dict(sorted(found.items())))
_choices = st.lists(st.builds(Choice, id=_ids, name=_text, names=_names), min_size=1, max_size=3).map(tuple)
_plain_kinds = st.sampled_from([kind for kind in ordertypes.KINDS if kind != "choice"])
_fields = st.one_of(
    st.builds(
        FieldSpec,
        id=_ids,
        name=_text,
        names=_names,
        kind=_plain_kinds,
        required=st.booleans(),
        personal=st.booleans(),
    ),
    st.builds(FieldSpec, id=_ids, name=_text, kind=st.just("choice"), choices=_choices),
)
_types = st.builds(
    OrderTypeConfigured,
    name=_text,
    names=_names,
    first=st.just("a"),
    fields=st.lists(_fields, max_size=4, unique_by=lambda field: field.id).map(tuple),
    states=st.tuples(
        st.builds(StateSpec, id=st.just("a"), name=_text, names=_names, on_assign=st.sampled_from(["", "b"])),
        st.builds(StateSpec, id=st.just("b"), name=_text, kind=st.sampled_from(["done", "closed"])),
    ),
    moves=st.tuples(st.builds(Move, action=_ids.filter(lambda a: a not in ordertypes.ACTIONS), name=_text,
                              before=st.just(("a",)), after=st.just("b"),
                              roles=st.lists(st.sampled_from(ROLES), min_size=1, max_size=3).map(tuple))),
    may=st.dictionaries(st.sampled_from(ordertypes.ACTIONS), st.just(("agent",)), max_size=4).map(
        lambda found: dict(sorted(found.items()))
    ),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True), _types, min_size=1, max_size=3))
def test_what_is_written_is_read_again_as_it_was(types: dict[str, OrderTypeConfigured]) -> None:
    """Names in any script, quotes and backslashes in them: nothing is lost on the way."""
    events: dict[str, Event] = {f"ordertype-{ident}": kind for ident, kind in types.items()}
    assert site_file.read(site_text.write(events, site="main", version=7), region="CN").events == events
