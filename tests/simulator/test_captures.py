"""What real switches told of a call, the simulated one tells too: the same events, in the same order, per leg.

Captures of things that the simulator does not do are not acted out: eavesdropping (h), conferences (i), voicemail (j),
mod_callcenter (k), reloading modules (l3), and one without a call (l5).
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache

import pytest

from orchestrator.domain.switch.facts import LegFact
from orchestrator.esl.events import HEADERS, HEADERS_READ, SwitchEvent
from tests.esl.captures import FORMATS, events, stream
from tests.esl.captures import facts as facts_of
from tests.simulator.reenact import Reenactment, capture

STREAMS = ("a", "b", "d", "e1", "e2", "f", "g", "l1", "l4", "l6")

LEFT_OUT = {
    # Tells a phone's display; whether it is sent depends on what that phone was last told. Nobody subscribes to it.
    "CALL_UPDATE",
    # By plain subscribers named COMMAND and PRIVATE_COMMAND at once, in two sets of headers. Nobody subscribes to it.
    "PRIVATE_COMMAND",
    # Our agents' profile manages no presence; what it tells of is in the other events.
    "PRESENCE_IN",
}

SHOWN = (
    "Event-Name",
    "Channel-State",
    "Channel-Call-State",
    "Answer-State",
    "Hangup-Cause",
    "Application",
    "Application-Data",
    "Playback-Status",
)

# Headers whose values are drawn or counted by the switch: there, what matters is what they look like.
SHAPES = {
    "timestamp": re.compile(r"1[0-9]{15}"),
    "sequence": re.compile(r"[0-9]+"),
    "core": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "sessions": re.compile(r"[0-9]+"),
    "record_ms": re.compile(r"[0-9]+"),
    "digit_samples": re.compile(r"[0-9]+"),
    "transfer": re.compile(r"1[0-9]{9}:[0-9a-f-]{36}:(uuid_br:[0-9a-f-]{36}|bl_xfer:[0-9a-z/]+/XML)"),
}


@cache
def acted(name: str) -> Reenactment:
    found = Reenactment(name)
    found.act()
    return found


def real_legs(name: str) -> dict[str, list[SwitchEvent]]:
    return by_leg(events([stream(name, "json")]))


def simulated_legs(name: str, form: str = "json") -> dict[str, list[SwitchEvent]]:
    """What the simulator told, by the legs' captured names."""
    found = acted(name)
    text = found.stage.stream(form)
    for real, simulated in found.legs.items():
        text = text.replace(simulated.encode(), real.encode())
    return by_leg(events([text]))


def by_leg(told: Iterable[SwitchEvent]) -> dict[str, list[SwitchEvent]]:
    legs: dict[str, list[SwitchEvent]] = defaultdict(list)
    for event in told:
        if event.leg and event.name not in LEFT_OUT:
            legs[event.leg].append(event)
    return legs


@pytest.mark.parametrize("name", STREAMS)
def test_each_leg_tells_the_same_events_in_the_same_order(name: str) -> None:
    real, simulated = real_legs(name), simulated_legs(name)
    assert sorted(simulated) == sorted(real)
    for leg, told in real.items():
        assert [event.name for event in simulated[leg]] == [event.name for event in told], f"leg {leg}"


@pytest.mark.parametrize("seed", range(2, 8))
@pytest.mark.parametrize("name", STREAMS)
def test_the_order_is_the_same_whatever_is_drawn(name: str, seed: int) -> None:
    """Legs look at what others did to them at ticks of their own, which the seed draws: no order may hang on it."""
    found = Reenactment(name, seed=seed)
    stage = found.act()
    for real, simulated in found.legs.items():
        told = [event.name for event in stage.told if event.lane == simulated and event.name not in LEFT_OUT]
        assert told == [event.name for event in real_legs(name)[real]]


@pytest.mark.parametrize("name", STREAMS)
def test_each_leg_goes_through_the_same_states_and_applications(name: str) -> None:
    found = acted(name)
    real, simulated = defaultdict(list), defaultdict(list)
    for event in capture(name):
        if event.get("Unique-ID") and event["Event-Name"] not in LEFT_OUT:
            real[found.legs[event["Unique-ID"]]].append([event.get(header, "") for header in SHOWN])
    for told in found.stage.told:
        if told.lane and told.name not in LEFT_OUT:
            simulated[told.lane].append([told.get(header) for header in SHOWN])
    assert simulated == real


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", STREAMS)
def test_every_header_that_translation_reads_is_there_and_says_the_same(name: str, form: str) -> None:
    """HEADERS_READ is derived from the product's own reader, so a header read tomorrow is compared tomorrow."""
    real, simulated = real_legs(name), simulated_legs(name, form)
    compared = set()
    for leg, told in real.items():
        for theirs, ours in zip(told, simulated[leg], strict=True):
            for field, header in HEADERS.items():
                was, is_ = normal(field, getattr(theirs, field)), normal(field, getattr(ours, field))
                where = f"{theirs.name} #{theirs.sequence} of {leg}: {header}"
                assert bool(was) == bool(is_), f"{where}: {was!r} became {is_!r}"
                if field in SHAPES and was:
                    assert SHAPES[field].fullmatch(was), f"{where}: {was!r}"
                    assert SHAPES[field].fullmatch(is_), f"{where}: {is_!r}"
                else:
                    assert was == is_, where
                if was:
                    compared.add(header)
    # Without a call's own headers the comparison would be of nothing.
    assert {"Unique-ID", "Call-Direction", "Caller-Destination-Number", "Event-Date-Timestamp"} <= compared
    assert compared <= HEADERS_READ


def normal(field: str, value: str) -> str:
    """Without what no simulator could know: the id that baresip put behind its extension, the addresses of profiles."""
    if field in {"dialled", "caller_number", "caller_name"}:
        return re.sub(r"^(100[0-9])-0x[0-9a-f]+$", r"\1", value)
    return value


@pytest.mark.parametrize("name", STREAMS)
def test_the_facts_are_the_same(name: str) -> None:
    found = acted(name)
    text = found.stage.stream("json")
    for real, simulated in found.legs.items():
        text = text.replace(simulated.encode(), real.encode())
    assert told_facts([text]) == told_facts([stream(name, "json")])


def told_facts(chunks: list[bytes]) -> dict[str, list[str]]:
    """Facts of each leg in order, without times and what hangs on them; a recording's length to the second."""
    legs: dict[str, list[str]] = defaultdict(list)
    for fact in facts_of(chunks):
        if isinstance(fact, LegFact):
            said = {key: normal(key, str(getattr(fact, key))) for key in fact.__struct_fields__ if key != "at"}
            if "length_ms" in said:
                said["length_ms"] = str(round(int(said["length_ms"]) / 1000))
            said.pop("duration_ms", None)
            legs[fact.leg].append(f"{type(fact).__name__} {said}")
    return legs


@pytest.mark.parametrize("name", STREAMS)
def test_jobs_end_with_the_same_words(name: str) -> None:
    found = acted(name)
    real = {e["Job-UUID"]: e["_body"] for e in capture(name) if e["Event-Name"] == "BACKGROUND_JOB"}
    simulated = {e.get("Job-UUID"): e.body for e in found.stage.told if e.name == "BACKGROUND_JOB"}
    assert simulated == real


@pytest.mark.parametrize("name", STREAMS)
def test_both_formats_of_the_simulator_say_the_same(name: str) -> None:
    json_told, plain_told = (list(events([acted(name).stage.stream(form)])) for form in FORMATS)
    assert json_told
    assert json_told == plain_told


@pytest.mark.parametrize("name", STREAMS)
def test_a_job_that_made_a_leg_is_told_before_the_leg_parks(name: str) -> None:
    simulated = [{"Event-Name": e.name, "Unique-ID": e.lane, "Job": e.get("Job-Command"), "Said": e.body} for e in
                 acted(name).stage.told]  # fmt: skip
    real = [{**e, "Job": e.get("Job-Command", ""), "Said": e.get("_body", "")} for e in capture(name)]
    for told in (real, simulated):
        for place, event in enumerate(told):
            if event["Job"] == "originate":
                leg = event["Said"].split()[1]
                parks = [e.get("Unique-ID") == leg and e["Event-Name"] == "CHANNEL_PARK" for e in told]
                assert place < parks.index(True)


def test_numbers_are_drawn_when_an_event_is_made_and_many_are_never_told() -> None:
    """Law 5: the sequence is only a hint. In order per leg, with holes, and out of order across legs and commands."""
    told = [(event.lane, int(event.get("Event-Sequence"))) for event in acted("d").stage.told]
    numbers = [number for _, number in told]
    assert len(set(numbers)) == len(numbers)
    assert numbers != sorted(numbers)
    assert max(numbers) - min(numbers) + 1 > len(numbers)
    legs: dict[str, list[int]] = defaultdict(list)
    for leg, number in told:
        legs[leg].append(number)
    for leg, own in legs.items():
        assert not leg or own == sorted(own)
