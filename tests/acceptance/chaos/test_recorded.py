"""The comparison of talks and recordings itself: what it must find, and what excuses a talk that has none."""

from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.keeping import RecordingSealed
from orchestrator.domain.contacts.recording import RecordingFailed
from orchestrator.domain.kernel import Event, Instant, Provenance, Record
from tests.acceptance.chaos.recorded import Found, Lying, Sealed, Talk, Told, compare_recordings, told

DECIDED = tuple(range(100))
"""Somebody decided something in each second."""
TALK = Talk(contact="a", segment="talk-a", since=10.0, until=15.0, reason="completed", begun=True)
CUT = Talk(contact="b", segment="talk-b", since=20.0, until=22.0, reason="switch_lost", begun=True)
SEALED = Sealed("talk-a.wav", "a")
KEPT = Lying(kept=("talk-a.wav",))


def judged(
    *talks: Talk, sealed: tuple[Sealed, ...] = (SEALED,), lying: Lying = KEPT, decided_at: tuple[float, ...] = DECIDED
) -> Found:
    return compare_recordings(Told(talks=list(talks), sealed=list(sealed)), lying, decided_at)


def as_none(**changed: Any) -> Found:  # noqa: ANN401 - whatever Talk takes
    """What is said of the talk where it has no recording."""
    return judged(replace(TALK, **changed), sealed=(), lying=Lying())


def test_a_talk_with_its_recording_and_one_with_which_its_switch_died_are_well() -> None:
    found = judged(TALK, CUT)
    assert not found.wrong, found.wrong
    assert found.fates == {"sealed": 1, "cut": 1}


def test_what_excuses_a_talk_is_told_apart_and_only_then_taken() -> None:
    assert as_none().wrong, "it had begun, and has an end"
    assert as_none(begun=False).wrong, "nobody said why"
    assert as_none(until=0.0).wrong
    assert as_none(empty=True).fates == {"empty": 1}
    assert as_none(begun=False, failed=True).fates == {"failed": 1}
    assert as_none(begun=False, until=10.5).fates == {"missed": 1}
    asleep = tuple(second for second in DECIDED if not 11 <= second <= 14)
    unheard = replace(TALK, begun=False)
    assert judged(unheard, sealed=(), lying=Lying(), decided_at=asleep).fates == {"unheard": 1}
    assert judged(TALK, sealed=(), lying=Lying(), decided_at=asleep).wrong, "it was heard of before"


PLANTED = {
    "a talk has two": judged(
        TALK, sealed=(SEALED, Sealed("talk-a-2.wav", "a")), lying=Lying(kept=("talk-a.wav", "talk-a-2.wav"))
    ),
    "nobody knows whose it is": judged(TALK, sealed=(Sealed("talk-a.wav", ""),)),
    "it is another caller's": judged(TALK, sealed=(Sealed("talk-a.wav", "b"),)),
    "no talk is in it": judged(TALK, sealed=(SEALED, Sealed("x.wav", "a")), lying=Lying(kept=("talk-a.wav", "x.wav"))),
    "it is not kept": judged(TALK, lying=Lying()),
    "it was never sealed": judged(TALK, lying=Lying(kept=("talk-a.wav", "y.wav"))),
    "one lies in the clear": judged(TALK, lying=replace(KEPT, clear=("talk-a.wav",))),
    "one is left half done": judged(TALK, lying=replace(KEPT, half=("talk-a.sealed.half",))),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_fault_is_found(planted: str) -> None:
    assert len(PLANTED[planted].wrong) == 1, PLANTED[planted].wrong


def record(position: int, stream: str, event: Event) -> Record:
    about = Provenance(at=Instant(position * 1_000_000))
    return Record(stream=stream, version=position, event=event, event_id=f"e{position}", about=about)


def test_talks_and_their_recordings_are_read_out_of_the_log() -> None:
    connected = c.ContactConnected(segment_id="talk-a", offer_id="o", shift_id="s", agent_id="g", leg="l")
    events: list[Event] = [
        connected,
        c.RecordingBegun(file="talk-a.wav"),
        c.RecordingFinished(file="talk-a.wav", length_ms=0, cause="empty-file"),
        c.AgentSegmentEnded(segment_id="talk-a", shift_id="s", ended_by="caller", cause="NORMAL_CLEARING"),
        c.ContactEnded(reason="completed", phase="connected"),
    ]
    records = [record(position, "contact-a", event) for position, event in enumerate(events, 1)]
    other = replace(connected, segment_id="talk-b")
    records += [record(6, "contact-b", other), record(7, "contact-b", RecordingFailed(file="talk-b.wav", cause="-ERR"))]
    sealed = RecordingSealed(contact_id="b", file="talk-b.wav", digest="", length=1, key="")
    said = told([*records, record(8, "recording-talk-b", sealed)])
    assert said.talks == [
        Talk(contact="a", segment="talk-a", since=1.0, until=4.0, reason="completed", begun=True, empty=True),
        Talk(contact="b", segment="talk-b", since=6.0, failed=True),
    ]
    assert said.sealed == [Sealed("talk-b.wav", "b")]
