"""What `make capture` recorded: the replies to our commands, and the races, as a person can check them."""

import gzip
import json
from itertools import pairwise
from random import Random

import pytest

from orchestrator.domain.switch.facts import Fact, JobDone, LegFact
from orchestrator.esl.replies import Reply
from tests.esl.captures import FOLDER, FORMATS, facts, frames, stream
from tests.lab.capture import SCENARIOS

both = pytest.mark.parametrize("form", FORMATS)

CALLER = "Created Parked Answered"
AGENT = "Created Ringing Answered Parked"

# For each leg, in order of appearance, what was told of it, in order; then the ends of the jobs, in theirs.
STORIES = {
    "own-replies": (
        [
            f"{CALLER} Bridged RecordingStarted Unbridged Parked RecordingStopped HungUp(NORMAL_CLEARING)",
            f"{AGENT} Held Resumed HungUp(NORMAL_CLEARING)",
        ],
        [
            *(
                "originate +",
                "uuid_bridge +",
                "uuid_record + Success",
                "uuid_hold + Success",
                "uuid_hold off + Success",
            ),
            *("uuid_phone_event + Success", "uuid_kill +", "uuid_kill +"),
            *("uuid_kill - No such channel!", "uuid_bridge - Invalid uuid", "uuid_hold + Success"),
            *("uuid_hold off + Success", "uuid_record - Cannot locate session!", "uuid_phone_event - Operation failed"),
            "nothing_of_the_kind - nothing_of_the_kind Command not found!",
        ],
    ),
    "own-ghost": (
        [f"{CALLER} HungUp(NORMAL_CLEARING)", f"{AGENT} HungUp(NORMAL_CLEARING)"],
        ["originate +", "uuid_bridge +", "uuid_kill +"],
    ),
    "own-orphan": (
        [f"{CALLER} Parked HungUp(NORMAL_CLEARING)", f"{AGENT} HungUp(NORMAL_CLEARING)"],
        ["originate +", "uuid_bridge +", "uuid_kill +"],
    ),
    "own-refusals": (
        [
            "Created Ringing HungUp(USER_BUSY 486)",
            "Created Ringing HungUp(CALL_REJECTED 603)",
            "Created Ringing HungUp(NO_ANSWER 487)",
        ],
        [
            *("originate - USER_BUSY", "originate - CALL_REJECTED", "originate - NO_ANSWER"),
            *("originate - USER_NOT_REGISTERED", "originate - SUBSCRIBER_ABSENT"),
        ],
    ),
    "own-apology": ([f"{CALLER} HungUp(NORMAL_CLEARING)"], []),
}

# The replies that are not just +OK, by the beginning of the command.
REPLIES = {
    "api uuid_exists": {"true", "false"},
    "api global_setvar": {"+OK"},
    "api uuid_setvar": {"+OK", "-ERR No such channel!"},
    "api uuid_break": {"+OK", "-ERR No such channel!"},
    "api nothing_of_the_kind": {"-ERR nothing_of_the_kind Command not found!"},
    "nothing of the kind": {"-ERR command not found"},
}


def sent(name: str, form: str) -> list[str]:
    """The commands of a stream, in order."""
    text = gzip.decompress((FOLDER / f"{name}.{form}.esl.sent.gz").read_bytes()).decode()
    return [json.loads(line)[1] for line in text.splitlines()]


def told(fact: LegFact) -> str:
    word = type(fact).__name__.removeprefix("Leg")
    if word != "HungUp":
        return word
    status = getattr(fact, "sip_status", 0)
    return f"HungUp({getattr(fact, 'cause', '')}{f' {status}' if status else ''})"


def stories(found: list[Fact]) -> list[str]:
    legs: dict[str, list[str]] = {}
    for fact in found:
        if isinstance(fact, LegFact):
            legs.setdefault(fact.leg, []).append(told(fact))
    return [" ".join(story) for story in legs.values()]


def jobs(found: list[Fact], commands: list[str]) -> list[str]:
    """What each background command came to, in the order in which they were given."""
    ends = {fact.job: fact for fact in found if isinstance(fact, JobDone)}
    lines = []
    for command in commands:
        verb, _, job = command.partition("\nJob-UUID: ")
        if not job:
            continue
        word = verb.removeprefix("bgapi ").split(" ", 1)[0] + (" off" if verb.startswith("bgapi uuid_hold off") else "")
        end = ends[job]
        answer = "" if end.ok and len(end.answer) == 36 else f" {end.answer}"
        lines.append(f"{word} {'+' if end.ok else '-'}{answer}".rstrip())
    return lines


def test_every_scenario_was_recorded_in_both_formats() -> None:
    recorded = {path.name for path in FOLDER.glob("own-*.esl.gz")}
    assert recorded == {f"{name}.{form}.esl.gz" for name in SCENARIOS for form in FORMATS}
    assert set(STORIES) == set(SCENARIOS)


@both
@pytest.mark.parametrize("name", STORIES)
def test_the_legs_of_a_recorded_scenario_lived_as_told(name: str, form: str) -> None:
    found = facts([stream(name, form)])
    legs, ends = STORIES[name]
    assert stories(found) == legs
    assert jobs(found, sent(name, form)) == ends


@both
@pytest.mark.parametrize("name", STORIES)
def test_a_recorded_scenario_cut_anywhere_tells_the_same(name: str, form: str) -> None:
    whole = stream(name, form)
    draw = Random(f"{name} {form}")
    cuts = sorted({0, len(whole), *(draw.randrange(len(whole)) for _ in range(len(whole) // 700))})
    assert facts(whole[a:b] for a, b in pairwise(cuts)) == facts([whole])


@both
def test_every_command_has_its_own_reply_in_the_order_of_the_commands(form: str) -> None:
    commands = sent("own-replies", form)
    answers = [
        Reply(frame.header("Reply-Text") if frame.content_type == "command/reply" else frame.text)
        for frame in frames([stream("own-replies", form)])
        if frame.content_type in ("command/reply", "api/response")
    ]
    assert len(answers) == len(commands)
    for command, reply in zip(commands, answers, strict=True):
        for start, expected in REPLIES.items():
            if command.startswith(start):
                assert reply.text.strip() in expected, command
        if command.startswith("bgapi"):
            job = command.partition("Job-UUID: ")[2]
            assert reply.text == f"+OK Job-UUID: {job}"
        elif command.startswith("sendmsg"):
            leg = command.split("\n")[0].split(" ")[1]
            assert reply.text in ("+OK", f"-ERR invalid session id [{leg}]")
