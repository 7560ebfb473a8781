"""The keys of the site's file: how each is read into an event, checked, and written back.

Seconds in the file, milliseconds in the events.
"""

import re
from typing import Final

from phonenumbers import SUPPORTED_REGIONS

from orchestrator.domain.contacts.guests import THE_FIRST_THREE
from orchestrator.domain.routing import conference, recording
from orchestrator.domain.routing.branches import BranchConfigured, BranchRemoved
from orchestrator.domain.routing.entries import EntryPointConfigured, EntryPointRemoved
from orchestrator.domain.routing.levels import LevelConfigured, LevelRemoved
from orchestrator.domain.routing.outside import OutsideConfigured, OutsideRemoved
from orchestrator.domain.routing.queues import PICKS, QueueConfigured, QueueRemoved, StepSetting
from orchestrator.domain.routing.requirements import LOCAL, PRIORITIES
from orchestrator.domain.routing.rules import RULES
from orchestrator.domain.routing.spelling import callable_number
from orchestrator.domain.staff import answering
from orchestrator.domain.staff.agents import AgentConfigured, AgentRemoved
from orchestrator.domain.staff.counters import WINDOWS
from orchestrator.domain.staff.engagements import MOST
from orchestrator.service import site_admission
from orchestrator.service.site_admission import OF_ENTRIES, OF_QUEUES, pattern
from orchestrator.service.site_orders import ORDERTYPE
from orchestrator.service.site_reasons import PAUSES, WRAP_UP
from orchestrator.service.site_rows import MOST_ROWS, rows, written
from orchestrator.service.site_values import (
    ID,
    Field,
    Section,
    Unfit,
    Within,
    extension,
    flag,
    from_ms,
    matching,
    near,
    one_of,
    seconds,
    text,
    whole,
    word,
)

__all__ = [
    "AGENT",
    "BRANCH",
    "DESKS",
    "ENTRY",
    "ID",
    "LEVEL",
    "ORDERTYPE",
    "OUTSIDE",
    "PAUSES",
    "QUEUE",
    "RECORDINGS",
    "SECTIONS",
    "WRAP_UP",
    "Section",
    "Unfit",
    "near",
]

# Levels of skills, of agents and asked for by queues.
LEVELS: Final = (1, 9)
# How often callers may be told their place, in seconds.
_TELL: Final = (15, 600)
_MOST_NUMBERS: Final = 1_000
# A hundred years: what is kept longer is kept for good.
_MOST_DAYS: Final = 36_500
_MOST_PREFIXES: Final = 1_000
_PREFIX: Final = re.compile(r"\+?[0-9]{1,15}")


def _known_rule(value: object) -> str:
    if not isinstance(value, str) or value not in RULES:
        raise Unfit(f"{value!r} is no rule; {near(str(value), RULES)}")
    return value


_rule: Final = Within(_known_rule, among=tuple(RULES))


def _numbers(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= _MOST_NUMBERS:
        raise Unfit(f'write a list of 1 to {_MOST_NUMBERS} numbers, such as ["4008001001"]')
    for number in value:
        pattern(number)
    return tuple(value)


def _prefixes(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_PREFIXES:
        raise Unfit(f'write a list of up to {_MOST_PREFIXES} beginnings of numbers, such as ["+8621", "021"]')
    for prefix in value:
        if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
            raise Unfit(f'{prefix!r} begins no number; write digits in quotes, such as "+8621"')
    return tuple(value)


def _agents(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_ROWS:
        raise Unfit(f'write a list of 1 to {MOST_ROWS} ids of agents, such as ["ann"]')
    return tuple(_agent(each) for each in value)


_ID_OF_AGENT: Final = matching(ID, "the id of an agent")
_ID_OF_BRANCH: Final = matching(ID, "the id of a branch")


def _agent(value: object) -> str:
    return "" if value == "" else str(_ID_OF_AGENT(value))


def _branch(value: object) -> str:
    return "" if value == "" else str(_ID_OF_BRANCH(value))


def _steps(value: object) -> tuple[StepSetting, ...]:
    """Each but the last must say for how long it holds: what comes after one that holds for good would never come."""
    steps: tuple[StepSetting, ...] = _read_steps(value)
    for place, step in enumerate(steps[:-1], 1):
        if not step.for_ms:
            raise Unfit(f"entry {place}: without for_s it holds for good, and entry {place + 1} never comes; add for_s")
    for place, step in enumerate(steps, 1):
        if step.min_level and step.skills is not None:
            raise Unfit(f"entry {place}: min_level is for the queue's skill, which skills replaces; write one of them")
    return steps


def _word_or_none(value: object) -> str:
    return "" if value == "" else word(value)


def _skills(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise Unfit("write skills with levels, such as { sales = 5, english = 3 }")
    level = whole(*LEVELS)
    return {word(skill): level(given) for skill, given in sorted(value.items())}


def _number_shown(value: object) -> str:
    if value == "":
        return ""
    number = callable_number(value) if isinstance(value, str) else ""
    if not number:
        raise Unfit('write a number of 5 to 15 digits in quotes, such as "+8675512345678"')
    return number


def _region(value: object) -> str:
    if not isinstance(value, str) or value not in SUPPORTED_REGIONS:
        raise Unfit(f"{value!r} is no country; write the two letters of ISO 3166, such as CN, HK or DE")
    return value


def _region_or_none(value: object) -> str:
    return "" if value == "" else _region(value)


def _shown_for(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise Unfit('write entry points with the number that is shown for them, such as { main = "+8675512345678" }')
    return {matching(ID, "the id of an entry point")(entry): _number_shown(each) for entry, each in value.items()}


def _shown_at(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise Unfit('write branches with the number that their agents show, such as { shanghai = "+862161000000" }')
    return {matching(ID, "the id of a branch")(branch): _number_shown(each) for branch, each in value.items()}


def _capacity(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise Unfit("write how many contacts at once by channel, such as { voice = 2 }")
    if unknown := next((channel for channel in value if channel not in MOST), None):
        raise Unfit(f"{unknown}: there is no such channel; {near(str(unknown), MOST)}")
    return {channel: whole(1, MOST[channel])(given) for channel, given in sorted(value.items())}


def _pick(value: object) -> str:
    if not isinstance(value, str) or value not in PICKS:
        raise Unfit(f"{value!r} is none of these; {near(str(value), PICKS)}")
    return value


def _recorded(value: object) -> str:
    """One of the words; true and false, as files of old have it, are always and never."""
    if isinstance(value, bool):
        return recording.ALWAYS if value else recording.NEVER
    return str(one_of(recording.OF_QUEUES)(value))


_record: Final = Within(_recorded, among=recording.OF_QUEUES)
_days: Final = whole(0, _MOST_DAYS)


def _days_of(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise Unfit("write queues with the days for which their recordings are kept, such as { orders = 90 }")
    return {matching(ID, "the id of a queue")(queue): _days(given) for queue, given in sorted(value.items())}


def _every_or_never(value: object) -> int:
    """Callers who wait want music for a while between two sentences, and a sentence to be over before the next one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or (value and not _TELL[0] <= value <= _TELL[1]):
        raise Unfit(f"write seconds from {_TELL[0]} to {_TELL[1]}, or 0 for never")
    return round(value * 1000)


_tell_place: Final = Within(_every_or_never, 0, _TELL[1])
_STEP: Final = (
    Field("for_s", "for_ms", seconds(1, 86_400), write=from_ms),
    Field("min_level", "min_level", whole(*LEVELS)),
    Field("skills", "skills", _skills),
    Field("agents", "agents", _agents, write=list),
    Field("branch", "branch", Within(_ID_OF_BRANCH, among=(LOCAL,))),
    Field("strongest", "strongest", flag),
)
_read_steps: Final = rows(StepSetting, _STEP, "{ for_s = 30, min_level = 5 }", may_be_none=True)
_points: Final = whole(*PRIORITIES)

QUEUE: Final = Section(
    "queue",
    QueueConfigured,
    QueueRemoved,
    (
        Field("name", "name", text, required=True),
        Field("skill", "skill", word, required=True),
        Field("min_level", "min_level", whole(*LEVELS)),
        Field("priority", "priority", _points),
        Field("rule", "rule", _rule),
        Field("level_first", "level_first", flag),
        Field("count_window", "count_window", one_of(WINDOWS)),
        Field("day_begins_h", "day_begins_h", whole(0, 23)),
        Field("steps", "steps", _steps, write=written(_STEP)),
        Field("named_agent_s", "named_agent_ms", seconds(0, 3_600), write=from_ms),
        Field("last_agent_s", "last_agent_ms", seconds(0, 3_600), write=from_ms),
        Field("known_within_s", "known_within_ms", seconds(0, 5), write=from_ms),
        Field("age_per_min", "age_per_min", whole(0, 1_000)),
        Field("age_cap", "age_cap", whole(0, 1_000)),
        Field("ring_s", "ring_ms", seconds(1, 300), write=from_ms),
        Field("ring_at_once", "ring_at_once", whole(1, 20)),
        Field("ring_most", "ring_most", whole(1, 20)),
        Field("ring_next_s", "ring_next_ms", seconds(1, 300), write=from_ms),
        Field("wrap_up_s", "wrap_up_ms", seconds(0, 3_600), write=from_ms),
        Field("wrap_up_most_s", "wrap_up_most_ms", seconds(0, 14_400), write=from_ms),
        Field("desk_grace_s", "desk_grace_ms", seconds(1, 600), write=from_ms),
        Field("cool_down_s", "cool_down_ms", seconds(0, 3_600), write=from_ms),
        Field("max_wait_s", "max_wait_ms", seconds(1, 86_400), write=from_ms),
        Field("answer_target_s", "answer_target_ms", seconds(1, 3_600), write=from_ms),
        Field("short_abandon_s", "short_abandon_ms", seconds(0, 3_600), write=from_ms),
        Field("music", "music", word),
        Field("apology", "apology", word),
        Field("record", "record", _record),
        Field("announce_agent", "announce_agent", flag),
        Field("callback_tries", "callback_tries", whole(1, 20)),
        Field("callback_again_s", "callback_again_ms", seconds(0, 86_400), write=from_ms),
        Field("callback_most_wait_s", "callback_most_wait_ms", seconds(60, 604_800), write=from_ms),
        Field("callback_prompt", "callback_prompt", word),
        *OF_QUEUES,
        Field("tell_place_every_s", "tell_place_every_ms", _tell_place, write=from_ms),
        Field("pick", "pick", _pick),
        Field("show_listening", "show_listening", flag),
        Field("park_s", "park_ms", seconds(10, 3_600), write=from_ms),
    ),
)
ENTRY: Final = Section(
    "entry",
    EntryPointConfigured,
    EntryPointRemoved,
    (
        Field("name", "name", text, required=True),
        Field("numbers", "numbers", _numbers, required=True, write=list),
        Field("queue", "queue_id", matching(ID, "the id of a queue"), required=True),
        Field("agent", "agent_id", _agent),
        Field("bonus", "bonus", _points),
        *OF_ENTRIES,
    ),
)
AGENT: Final = Section(
    "agent",
    AgentConfigured,
    AgentRemoved,
    (
        Field("number", "number", extension, required=True),
        Field("name", "name", text, required=True),
        Field("extension", "extension", extension, required=True),
        Field("skills", "skills", _skills, required=True),
        Field("team", "team", _word_or_none),
        Field("branch", "branch", _branch),
        Field("order", "order", whole(0, 1_000_000)),
        Field("weight", "weight", whole(1, 1_000)),
        Field("capacity", "capacity", _capacity),
        Field("record", "record", one_of(recording.OF_AGENTS)),
        Field("answers", "answer", one_of(answering.OF_AGENTS)),
    ),
)
OUTSIDE: Final = Section(
    "outside",
    OutsideConfigured,
    OutsideRemoved,
    (
        Field("allowed", "allowed", _prefixes, required=True, write=list),
        Field("refused", "refused", _prefixes, write=list),
        Field("show", "show", _number_shown),
        Field("show_for", "show_for", _shown_for),
        Field("show_at", "show_at", _shown_at),
        Field("dial_queue", "dial_queue", _word_or_none),
        Field("at_most", "at_most", whole(1, 1_000)),
        Field("ring_s", "ring_ms", seconds(5, 300), write=from_ms),
        Field("trunk", "trunk", word),
        Field("region", "region", _region_or_none, by_site=True),
        Field("national", "national", flag),
    ),
)
DESKS: Final = Section(
    "desks",
    answering.DesksConfigured,
    answering.DesksRemoved,
    (Field("answers", "answer", one_of(answering.OF_SITE)),),
)
RECORDINGS: Final = Section(
    "recordings",
    recording.RecordingsConfigured,
    recording.RecordingsRemoved,
    (
        Field("record", "rule", one_of(recording.OF_SITE)),
        Field("mask_most_s", "mask_most_ms", seconds(10, 1_800), write=from_ms),
        Field("keep_days", "keep_days", _days),
        Field("keep_days_of", "keep_days_of", _days_of),
        Field("least_s", "least_ms", seconds(0, 60), write=from_ms),
        Field("archive_days", "archive_days", _days),
    ),
)
CONFERENCE: Final = Section(
    "conference",
    conference.ConferenceConfigured,
    conference.ConferenceRemoved,
    (Field("most", "most", whole(THE_FIRST_THREE, 20)),),
)
LEVEL: Final = Section(
    "level",
    LevelConfigured,
    LevelRemoved,
    (
        Field("name", "name", text, required=True),
        Field("bonus", "bonus", _points),
        Field("strongest", "strongest", flag),
    ),
)
BRANCH: Final = Section(
    "branch",
    BranchConfigured,
    BranchRemoved,
    (
        Field("name", "name", text, required=True),
        Field("prefixes", "prefixes", _prefixes, write=list),
        Field("region", "region", _region_or_none),
    ),
)
SECTIONS: Final = (
    *site_admission.SECTIONS, BRANCH, LEVEL, QUEUE, ENTRY, AGENT, ORDERTYPE, OUTSIDE, RECORDINGS, CONFERENCE,
    DESKS, PAUSES, WRAP_UP,
)  # fmt: skip
