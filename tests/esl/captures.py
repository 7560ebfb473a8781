"""The captured streams of a real switch (freeswitch/captures), and the table of facts that a person can check."""

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from orchestrator.domain.switch.facts import Fact, LegFact
from orchestrator.esl.events import SwitchEvent, decode_json, decode_plain
from orchestrator.esl.frames import Frame, FrameReader
from orchestrator.esl.translate import reading

FOLDER = Path(__file__).parents[2] / "freeswitch" / "captures"
_ALL = sorted(path.name.split(".")[0] for path in FOLDER.glob("*.json.esl.gz"))
STREAMS = [name for name in _ALL if not name.startswith("own-")]
# Recorded by `make capture` with commands of ours: they hold replies as well as events.
OWN = [name for name in _ALL if name.startswith("own-")]
FORMATS = ("json", "plain")
DECODERS = {"text/event-json": decode_json, "text/event-plain": decode_plain}


def stream(name: str, form: str) -> bytes:
    return gzip.decompress((FOLDER / f"{name}.{form}.esl.gz").read_bytes())


def frames(chunks: Iterable[bytes]) -> Iterator[Frame]:
    reader = FrameReader()
    for chunk in chunks:
        yield from reader.feed(chunk)
    assert not reader.flaws, reader.flaws


def events(chunks: Iterable[bytes]) -> Iterator[SwitchEvent]:
    for frame in frames(chunks):
        decode = DECODERS.get(frame.content_type)
        if decode:
            yield decode(frame.body)


def facts(chunks: Iterable[bytes]) -> list[Fact]:
    found: list[Fact] = []
    for event in events(chunks):
        one = reading("fs1", event)
        assert not one.flaws, (event, one.flaws)
        found += one.facts
    return found


def table(found: Iterable[Fact]) -> str:
    """Facts as aligned columns: ms by the switch's clock, leg (a letter in order of appearance), fact, the rest."""
    legs: dict[str, str] = {}
    rows: list[tuple[str, str, str, str]] = []
    start = None
    for fact in found:
        start = start or fact.at
        values = msgspec.structs.asdict(fact)
        values.pop("node")
        at = values.pop("at")
        leg = _letter(legs, values.pop("leg")) if isinstance(fact, LegFact) else "-"
        details = [_detail(legs, name, value) for name, value in values.items() if value not in ("", False, 0)]
        rows.append((str((at - (start or 0)) // 1000), leg, type(fact).__name__, "  ".join(details)))
    rows.insert(0, ("ms", "leg", "fact", "what else it says"))
    return "".join(f"{ms:>7}  {leg:3}  {kind:17}  {rest}".rstrip() + "\n" for ms, leg, kind, rest in rows)


def _letter(legs: dict[str, str], leg: str) -> str:
    return legs.setdefault(leg, chr(ord("A") + len(legs)))


def _detail(legs: dict[str, str], name: str, value: object) -> str:
    if name == "other":
        return f"other={_letter(legs, str(value))}"
    if name == "job":
        return ""  # an id of the capturing script
    if name in ("answer", "target") and value in legs:
        return f"{name}={legs[str(value)]}"
    if name == "core":
        return f"core={str(value)[:8]}"
    return f"{name}={value}" if value is not True else name
