"""Every event there is: listed, named like history, read back as it was written, and never renamed by accident."""

import inspect
import re
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain import catalogue, engine, spools
from orchestrator.domain.access import bundles, tokens, users
from orchestrator.domain.catalogue import BY_CLASS, CATALOGUE, Entry
from orchestrator.domain.contacts import (
    consult_events,
    dial_events,
    guest_events,
    keeping,
    monitor_events,
    outward_events,
    park_events,
    speaking,
    transfer_events,
    unattended,
)
from orchestrator.domain.contacts import events as contact_events
from orchestrator.domain.contacts import recording as recording_events
from orchestrator.domain.customers import blacklist, notes, people
from orchestrator.domain.kernel import Event, Instant
from orchestrator.domain.routing import (
    branches,
    calendars,
    conference,
    configuration,
    drafts,
    entries,
    levels,
    limits,
    notices,
    numbers,
    outside,
    queues,
    recording,
    trunks,
)
from orchestrator.domain.staff import agents, answering, forcing, presence, reasons
from orchestrator.domain.staff import events as shift_events
from orchestrator.domain.switch import nodes
from orchestrator.domain.work import orders, ordertypes

PINNED = Path(__file__).with_name("events.txt")
MODULES = (
    bundles,
    tokens,
    users,
    contact_events,
    consult_events,
    dial_events,
    guest_events,
    monitor_events,
    outward_events,
    park_events,
    recording_events,
    keeping,
    speaking,
    transfer_events,
    unattended,
    engine,
    spools,
    people,
    notes,
    configuration,
    drafts,
    entries,
    outside,
    recording,
    conference,
    queues,
    levels,
    branches,
    agents,
    answering,
    reasons,
    shift_events,
    forcing,
    presence,
    nodes,
    ordertypes,
    orders,
    numbers,
    trunks,
    limits,
    calendars,
    notices,
    blacklist,
)
# Participles that do not end in -ed, as English has them.
IRREGULAR = (
    "Begun",
    "Done",
    "Found",
    "GivenUp",
    "Held",
    "Lost",
    "Made",
    "Overdue",
    "Missing",
    "Away",
    "StoodDown",
    "Out",
    "In",
    "Down",
    "Withdrawn",
    "MadeReady",
    "PutAside",
    "TakenOver",
    "Told",
)


def every_class() -> list[type[Event]]:
    """All events that any domain file defines, whether listed or not."""
    found = []
    for module in MODULES:
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if issubclass(cls, Event) and cls is not Event and cls.__module__ == module.__name__:
                found.append(cls)
    return found


def shape(entry: Entry) -> str:
    """One line for one event: where it lives, what it is called, which version, which fields."""
    fields = " ".join(sorted(field.name for field in msgspec.structs.fields(entry.cls)))
    return f"{entry.kind} {entry.name} v{entry.version}: {fields}".rstrip()


def test_every_event_that_is_defined_is_listed_and_only_those() -> None:
    """Feature 11.1: an event that the catalogue does not know cannot be stored."""
    bases = {cls for cls in every_class() if any(cls in other.__mro__[1:] for other in every_class())}
    assert set(every_class()) - bases == set(BY_CLASS)
    assert {entry.cls for entry in CATALOGUE.values()} == set(BY_CLASS)


def test_names_and_fields_are_those_of_the_pinned_list() -> None:
    """Feature 11.1: history is read by these names. A new event is added to tests/domain/events.txt; one whose shape
    changed gets a new version and an upcaster.
    """
    now = sorted(shape(entry) for entry in CATALOGUE.values())
    assert now == PINNED.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_event_is_a_noun_with_a_past_participle(name: str) -> None:
    words = re.findall(r"[A-Z][a-z]+", name)
    assert "".join(words) == name
    assert len(words) >= 2
    assert name.endswith(IRREGULAR) or words[-1].endswith("ed"), name


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_event_says_what_it_means(name: str) -> None:
    assert CATALOGUE[name].cls.__doc__


def test_stored_names_do_not_hang_on_python_modules() -> None:
    """Feature 11.1: code can move without breaking history."""
    assert all("." not in name for name in CATALOGUE)
    assert len(CATALOGUE) == len(BY_CLASS)


def strategy_for(annotation: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - an annotation is anything
    """Values of a field's type."""
    if get_origin(annotation) is Annotated:
        return strategy_for(get_args(annotation)[0])
    if annotation is str:
        return st.text(max_size=30)
    if annotation is bool:
        return st.booleans()
    if annotation is int or getattr(annotation, "__supertype__", None) is int:
        return st.integers(-(2**60), 2**60)
    if get_origin(annotation) is tuple and Ellipsis not in get_args(annotation):
        return st.tuples(*map(strategy_for, get_args(annotation)))
    if get_origin(annotation) is tuple:
        return st.lists(strategy_for(get_args(annotation)[0]), max_size=3).map(tuple)
    if get_origin(annotation) is dict:
        key, value = get_args(annotation)
        return st.dictionaries(strategy_for(key), strategy_for(value), max_size=3)
    if get_origin(annotation) in (UnionType, Union):
        return st.one_of(*(strategy_for(each) for each in get_args(annotation)))
    if annotation is type(None):
        return st.none()
    return event_of(annotation)


def event_of(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Any instance of a struct."""
    hints = get_type_hints(cls, include_extras=True)
    return st.builds(cls, **{field.name: strategy_for(hints[field.name]) for field in msgspec.structs.fields(cls)})


@given(st.sampled_from(sorted(CATALOGUE)).flatmap(lambda name: event_of(CATALOGUE[name].cls)))
def test_an_event_is_read_back_as_it_was_written(event: Event) -> None:
    """Feature 11.1: whatever is in it, hostile strings included."""
    assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=type(event)) == event


def test_what_belongs_to_a_person_hangs_its_key_under_theirs() -> None:
    """Feature 5.8, law 11: a contact under its customer; a note and a recording under their contact; an order under its
    customer, or under the contact of whom nobody knows yet who it is.
    """
    adopting = {name: entry.adopts_key_of for name, entry in CATALOGUE.items() if entry.adopts_key_of is not None}
    assert set(adopting) == {"ContactIdentified", "ContactNoted", "OrderOpened", "RecordingSealed"}
    cases: list[tuple[Event, str | None]] = [
        (contact_events.ContactIdentified(customer_id="7"), "customer-7"),
        (notes.ContactNoted(contact_id="8", text="called back"), "contact-8"),
        (orders.OrderOpened(type_id="t", state="open", customer_id="7", contact_id="8"), "customer-7"),
        (orders.OrderOpened(type_id="t", state="open", contact_id="8"), "contact-8"),
        (orders.OrderOpened(type_id="t", state="open"), None),
        (keeping.RecordingSealed(contact_id="8", file="f.wav", digest="d", length=1, key="k"), "contact-8"),
        (keeping.RecordingSealed(contact_id="", file="f.wav", digest="d", length=1, key="k"), None),
    ]
    for event, parent in cases:
        adopt = CATALOGUE[type(event).__name__].adopts_key_of
        assert adopt is not None
        assert adopt(event) == parent
    for adopt in adopting.values():
        assert adopt is not None
        assert adopt(contact_events.OfferWithdrawn(offer_id="o", cause="x")) is None


def test_the_upcasters_of_an_event_lead_to_its_version() -> None:
    assert all(len(entry.upcasters) == entry.version - 1 for entry in catalogue.CATALOGUE.values())


def test_a_hold_of_the_first_version_is_read_as_one_that_the_switch_was_told_of_at_once() -> None:
    """Feature 11.1."""
    for name in ("HoldRequested", "ResumeRequested"):
        entry = CATALOGUE[name]
        event = msgspec.convert(entry.upcasters[0]({"segment_id": "g1"}), entry.cls)
        assert isinstance(event, contact_events.HoldRequested | contact_events.ResumeRequested)
        assert (event.segment_id, event.not_before) == ("g1", Instant(0))


def test_history_from_before_there_were_desks_is_read_with_the_limits_of_then() -> None:
    """Feature 11.1: a wrap-up that could not be extended, a queue that knew no grace."""
    entry = CATALOGUE["WrapUpStarted"]
    event = msgspec.convert(entry.upcasters[0]({"contact_id": "c", "segment_id": "g", "until": 5}), entry.cls)
    assert msgspec.structs.asdict(event) == {"contact_id": "c", "segment_id": "g", "until": 5, "at_most": 5}
    entry = CATALOGUE["QueueConfigured"]
    queue = msgspec.convert(entry.upcasters[0]({"name": "Sales", "skill": "sales"}), entry.cls)
    assert queue == queues.QueueConfigured(name="Sales", skill="sales")


def test_a_queue_from_before_numbers_were_announced_announces_none() -> None:
    """Features 4.2, 11.1: a new release does not change what callers hear; whoever applies the queue anew does."""
    entry = CATALOGUE["QueueConfigured"]
    queue = msgspec.convert(entry.upcasters[3]({"name": "Sales", "skill": "sales"}), entry.cls)
    assert queue == queues.QueueConfigured(name="Sales", skill="sales", announce_agent=False)
    assert queues.QueueConfigured(name="Sales", skill="sales").announce_agent


def test_an_agent_of_the_first_version_is_read_as_one_of_no_team() -> None:
    entry = CATALOGUE["AgentConfigured"]
    body = {"number": "101", "name": "Li", "extension": "1001", "skills": {"sales": 5}}
    agent = msgspec.convert(entry.upcasters[0](body), entry.cls)
    assert isinstance(agent, agents.AgentConfigured)
    assert agent.team == ""


def test_history_of_one_caller_at_a_time_is_read_as_such() -> None:
    """Features 1.9, 3.8: who was reserved for a call before there was anything by hand, and what could be held then."""

    def read(name: str, body: dict[str, Any], last: int = 1) -> Event:
        entry = CATALOGUE[name]
        for upcast in entry.upcasters[-last:]:
            body = upcast(body)
        return msgspec.convert(body, entry.cls)

    assert read("AgentReserved", {"offer_id": "o", "contact_id": "c"}) == shift_events.AgentReserved(
        offer_id="o", contact_id="c", channel="voice", by_hand=False
    )
    assert read("HoldRequested", {"segment_id": "g", "not_before": 7}) == contact_events.HoldRequested(
        segment_id="g", not_before=Instant(7), then=""
    )
    agent = {"number": "101", "name": "Li", "extension": "1001", "skills": {"sales": 5}, "team": ""}
    assert read("AgentConfigured", agent) == agents.AgentConfigured(
        number="101", name="Li", extension="1001", skills={"sales": 5}, capacity={}
    )
    assert read("QueueConfigured", {"name": "Sales", "skill": "sales"}, 4) == queues.QueueConfigured(
        name="Sales", skill="sales", pick="skilled", announce_agent=False
    )


def test_a_queue_from_before_recorded_every_talk_or_none() -> None:
    """Feature 8.1: what was yes or no is one of several words by now."""
    entry = CATALOGUE["QueueConfigured"]
    for was, now in ((True, "always"), (False, "never"), (None, "always")):
        body = {"name": "Sales", "skill": "sales"} | ({} if was is None else {"record": was})
        assert msgspec.convert(entry.upcasters[4](body), entry.cls).record == now  # type: ignore[attr-defined]


def test_rules_of_calls_to_the_outside_from_before_numbers_were_read_in_a_country_are_still_read() -> None:
    """Features 3.10, 11.1: a new release does not change what may be called; whoever applies the rules anew does."""
    entry = CATALOGUE["OutsideConfigured"]
    stored: tuple[dict[str, Any], ...] = ({"allowed": ["0"]}, {"allowed": ["0"], "show_at": {}, "dial_queue": "q"})
    for begun, written in enumerate(stored):
        body = written
        for upcast in entry.upcasters[begun:]:
            body = upcast(body)
        rules = msgspec.convert(body, outside.OutsideConfigured)
        assert (rules.allowed, rules.region, rules.national) == (("0",), "", False)
    entry = CATALOGUE["BranchConfigured"]
    branch = msgspec.convert(entry.upcasters[0]({"name": "Shanghai", "prefixes": ["+8621"]}), entry.cls)
    assert branch == branches.BranchConfigured(name="Shanghai", prefixes=("+8621",), region="")
