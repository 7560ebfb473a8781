"""Every captured stream of a real switch, in both formats and however it was cut, tells the same story."""

import random
import re
from itertools import pairwise
from pathlib import Path

import pytest

from orchestrator.domain.switch import facts as f
from orchestrator.esl.events import HEADERS_READ
from tests.esl.captures import FORMATS, OWN, STREAMS, events, facts, frames, stream, table

TABLES = Path(__file__).parent / "facts"
SMALL = [name for name in STREAMS if len(stream(name, "json")) < 200_000]

both = pytest.mark.parametrize("form", FORMATS)


def test_all_the_captures_are_here() -> None:
    assert STREAMS == ["a", "b", "d", "e1", "e2", "f", "g", "h", "i", "j", "k", "l1", "l3", "l4", "l5", "l6"]


@both
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_says_what_its_table_says(name: str, form: str) -> None:
    assert table(facts([stream(name, form)])) == (TABLES / f"{name}.txt").read_text()


@both
@pytest.mark.parametrize("name", OWN)
def test_what_we_recorded_ourselves_is_read_to_the_last_frame_replies_included(name: str, form: str) -> None:
    whole = stream(name, form)
    kinds = {frame.content_type for frame in frames([whole])}
    assert "command/reply" in kinds
    assert kinds & {"text/event-json", "text/event-plain"}
    assert facts([whole]) == facts(whole[at : at + 1_000] for at in range(0, len(whole), 1_000)) != []


@both
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_cut_at_random_says_the_same(name: str, form: str) -> None:
    whole = stream(name, form)
    draw = random.Random(f"{name} {form}")
    expected = (TABLES / f"{name}.txt").read_text()
    for longest in (7, 1_500, 70_000):
        chunks, at = [], 0
        while at < len(whole):
            size = draw.randint(1, longest)
            chunks.append(whole[at : at + size])
            at += size
        assert table(facts(chunks)) == expected


@both
@pytest.mark.parametrize("name", SMALL)
def test_a_small_stream_that_comes_byte_by_byte_says_the_same(name: str, form: str) -> None:
    whole = stream(name, form)
    expected = (TABLES / f"{name}.txt").read_text()
    assert table(facts(whole[at : at + 1] for at in range(len(whole)))) == expected


@both
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_cut_once_about_each_frame_boundary_has_the_same_frames(name: str, form: str) -> None:
    whole = stream(name, form)
    expected = [(frame.content_type, frame.body) for frame in frames([whole])]
    cuts: set[int] = set()
    at = 0
    for frame in frames([whole]):
        at += len(frame.head) + 2
        cuts |= {at - 2, at - 1, at, at + 1}
        at += len(frame.body)
        cuts |= {at - 1, at, at + 1}
    # Each frame and its neighbours only: a cut cannot be felt further away.
    edges = sorted(cut for cut in cuts if 0 < cut < len(whole))
    for low, high in pairwise(range(0, len(edges) + 70, 70)):
        some = edges[low:high]
        parts = [whole[a:b] for a, b in pairwise([0, *some, len(whole)])]
        assert [(frame.content_type, frame.body) for frame in frames(parts)] == expected


@both
def test_the_smallest_streams_cut_once_anywhere_have_the_same_frames(form: str) -> None:
    for name in ("l3", "l5"):
        whole = stream(name, form)
        expected = [(frame.content_type, frame.body) for frame in frames([whole])]
        for cut in range(len(whole) + 1):
            assert [(frame.content_type, frame.body) for frame in frames([whole[:cut], whole[cut:]])] == expected


@pytest.mark.parametrize("name", STREAMS)
def test_both_formats_reduce_to_the_same_events(name: str) -> None:
    json, plain = (list(events([stream(name, form)])) for form in FORMATS)
    assert json == plain


def test_the_list_of_headers_read_is_the_one_that_the_switch_sends() -> None:
    """A header that no capture has is named here, so that a misspelt one cannot hide."""
    text = b"".join(stream(name, "json") for name in STREAMS).decode()
    unseen = {header for header in HEADERS_READ if f'"{header}":' not in text}
    assert unseen == {
        "variable_ringledger_contact",  # ours; the captures are older than we are
        "variable_ringledger_offer",
        "variable_user_name",  # no agent's phone dialled by itself
        "variable_sip_reason",  # no BYE gave one: two FreeSWITCHes do (tests/acceptance/test_lost_phones.py)
        "variable_sip_gateway",  # callers came without a gateway
        "variable_sip_invite_failure_status",  # nobody refused a call
        "from-user",  # phones registered before the captures began
        "user",
        "expires",
    }


# --- the stories told by hand ----------------------------------------------------------------------------------------
WORDS = {
    f.LegCreated: "created",
    f.LegRinging: "ringing",
    f.LegAnswered: "answered",
    f.LegParked: "parked",
    f.LegHeld: "held",
    f.LegResumed: "resumed",
    f.LegUnbridged: "unbridged",
}


def stories() -> dict[str, dict[str, list[str]]]:
    told: dict[str, dict[str, list[str]]] = {}
    current: dict[str, list[str]] = {}
    for line in (TABLES / "by_hand.txt").read_text().splitlines():
        if re.match("[a-z]", line):
            told[line.split(":")[0]] = current = {}
        elif line.startswith("  "):
            leg, *life = line.split()
            current[leg] = [word.strip("()") for word in life]
    return told


def lives(found: list[f.Fact]) -> dict[str, list[str]]:
    """Each leg's life in the words of the stories: the caller, and agents by the extension that was dialled."""
    names: dict[str, str] = {}
    inbound = [fact.leg for fact in found if isinstance(fact, f.LegCreated) and fact.inbound]
    outbound = [fact.leg for fact in found if isinstance(fact, f.LegCreated) and not fact.inbound]
    names |= dict.fromkeys(inbound, "caller") | dict(zip(outbound, ("1001", "1002"), strict=False))
    told: dict[str, list[str]] = {name: [] for name in names.values()}
    for fact in found:
        if not isinstance(fact, f.LegFact):
            continue
        here = names[fact.leg]
        match fact:
            case f.LegBridged(other=other):
                told[here].append(f"bridged={names[other]}")
                told[names[other]].append(f"bridged={here}")
            case f.LegUnbridged(other=other):
                told[here].append("unbridged")
                told[names[other]].append("unbridged")
            case f.LegTransferred(target=target):
                told[here].append(f"transferred={target}")
            case f.LegHungUp(cause=cause):
                told[here].append(f"hung-up={cause}")
            case _:
                told[here].append(WORDS[type(fact)])
    return told


@both
@pytest.mark.parametrize("name", ("a", "b", "d", "e1", "e2"))
def test_a_stream_tells_the_story_that_was_told_by_hand(name: str, form: str) -> None:
    assert lives(facts([stream(name, form)])) == stories()[name]


def test_the_caller_of_stream_a_talks_for_five_seconds_at_least() -> None:
    found = facts([stream("a", "json")])
    began = next(fact.at for fact in found if isinstance(fact, f.LegBridged))
    ended = next(fact.at for fact in found if isinstance(fact, f.LegUnbridged))
    assert began is not None
    assert ended is not None
    assert 5_000_000 <= ended - began <= 8_000_000
