"""The site's file: everything that is wrong is told at once, each with its key, its line, and what to write."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.kernel import Event
from orchestrator.domain.routing.branches import BranchConfigured
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.levels import LevelConfigured
from orchestrator.domain.routing.queues import QueueConfigured, StepSetting
from orchestrator.domain.routing.recording import OF_QUEUES
from orchestrator.domain.routing.rules import RULES
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.staff.counters import WINDOWS
from orchestrator.service import site_file, site_text
from orchestrator.service.site_file import BadConfiguration
from orchestrator.service.toml_lines import Lines

SITE = """\
# one queue, one entry point, one agent

[queue.sales]
name = "Sales"
skill = "sales"

[entry.hotline]
name = "Hot line"
numbers = [
    "4000",
    "*",
]
queue = "sales"

[agent.li]
number = "101"
name = "Li Wei"
extension = "1001"
skills = { sales = 5 }
"""


def told(text: str) -> list[str]:
    with pytest.raises(BadConfiguration) as refused:
        site_file.read(text, region="CN")
    assert refused.value.code == "bad_configuration"
    assert str(refused.value) == "\n".join(refused.value.problems)
    return refused.value.problems


@pytest.mark.parametrize(
    ("old", "new", "message"),
    (
        ('skill = "sales"', 'skil = "sales"', "line 5: queue.sales.skil: there is no such key; did you mean skill?"),
        ('skill = "sales"', 'skil = "sales"', "line 3: queue.sales: skill is missing."),
        ("[queue.sales]", "[queues.sales]", "line 3: queues: there is no such key; did you mean queue?"),
        (
            'queue = "sales"',
            'queue = "slaes"',
            "line 13: entry.hotline.queue: there is no queue slaes; did you mean sales?",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\nrule = "longest_idel"',
            "line 6: queue.sales.rule: 'longest_idel' is no rule; did you mean longest_idle?",
        ),
        ('skill = "sales"', 'skill = "sales"\nring_s = 0', "line 6: queue.sales.ring_s: write seconds from 1 to 300."),
        (
            'skill = "sales"',
            'skill = "sales"\ntell_place_every_s = 14.9',
            "line 6: queue.sales.tell_place_every_s: write seconds from 15 to 600, or 0 for never.",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\ntell_place_every_s = -1',
            "line 6: queue.sales.tell_place_every_s: write seconds from 15 to 600, or 0 for never.",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\npick = "skiled"',
            "line 6: queue.sales.pick: 'skiled' is none of these; did you mean skilled?",
        ),
        (
            "skills = { sales = 5 }",
            "skills = { sales = 5 }\ncapacity = { voice = 7 }",
            "line 20: agent.li.capacity: write a whole number from 1 to 6.",
        ),
        (
            "skills = { sales = 5 }",
            "skills = { sales = 5 }\ncapacity = { voise = 2 }",
            "line 20: agent.li.capacity: voise: there is no such channel; did you mean voice?",
        ),
        (
            "skills = { sales = 5 }",
            "skills = { sales = 5 }\ncapacity = 2",
            "line 20: agent.li.capacity: write how many contacts at once by channel, such as { voice = 2 }.",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\npriority = 1001',
            "line 6: queue.sales.priority: write a whole number from -1000 to 1000.",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\ncount_window = "week"',
            "line 6: queue.sales.count_window: 'week' is none of these; there are day, hour, shift.",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\nsteps = [ { min_level = 5 }, { min_level = 1 } ]',
            "line 6: queue.sales.steps: entry 1: without for_s it holds for good, and entry 2 never comes; add for_s.",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\nsteps = [ { for_s = 5, minlevel = 5 } ]',
            "line 6: queue.sales.steps: entry 1: minlevel: there is no such key; did you mean min_level?",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\nsteps = [ { for_s = 5, min_level = 5, skills = {} } ]',
            "line 6: queue.sales.steps: entry 1: min_level is for the queue's skill, which skills replaces",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\nsteps = [ { for_s = 5, agents = ["lee"] } ]',
            "line 6: queue.sales.steps: there is no agent lee; there are li.",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\nsteps = [ { for_s = 5, branch = "sh" } ]',
            "line 6: queue.sales.steps: there is no branch sh; there is none.",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\nring_s = "20"',
            "line 6: queue.sales.ring_s: write seconds from 1 to 300.",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\nring_s = nan',
            "line 6: queue.sales.ring_s: write seconds from 1 to 300.",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\nmin_level = 12',
            "line 6: queue.sales.min_level: write a whole number from 1 to 9.",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\nmin_level = true',
            "line 6: queue.sales.min_level: write a whole number from 1 to 9.",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\nrecord = "yes"',
            "line 6: queue.sales.record: 'yes' is none of these; there are always, as_agent, never, on_demand.",
        ),
        (
            'skill = "sales"',
            'skill = "two words"',
            "line 5: queue.sales.skill: write a word of up to 40 letters a-z, digits, - and _, in quotes.",
        ),
        (
            'skill = "sales"',
            'skill = "sales"\nmusic = "../etc"',
            "line 6: queue.sales.music: write a word of up to 40 letters a-z, digits, - and _, in quotes.",
        ),
        (
            'name = "Sales"',
            'name = "a\\nb"',
            "line 4: queue.sales.name: write up to 80 characters without line breaks or control characters.",
        ),
        ('name = "Sales"', 'name = ""', "line 4: queue.sales.name: write a text that is not empty, in quotes."),
        (
            "[queue.sales]",
            "[queue.Sales]",
            "line 3: queue.Sales: an id has up to 40 small letters a-z, digits and -; it stays",
        ),
        ('    "*",', "    4001,", "line 9: entry.hotline.numbers: 4001 cannot be dialled; write digits in quotes"),
        ('    "*",', '    "4000 ",', "line 9: entry.hotline.numbers: '4000 ' cannot be dialled"),
        ('    "*",', '    "4000",', "line 9: entry.hotline.numbers: '4000' stands here twice."),
        (
            "skills = { sales = 5 }",
            "skills = { sales = 50 }",
            "line 19: agent.li.skills: write a whole number from 1 to 9.",
        ),
        (
            "skills = { sales = 5 }",
            'skills = ["sales"]',
            "line 19: agent.li.skills: write skills with levels, such as { sales = 5, english = 3 }.",
        ),
        (
            'extension = "1001"',
            'extension = "1001 {evil=1}"',
            "line 18: agent.li.extension: write up to 20 letters a-z and digits, in quotes.",
        ),
        (
            'number = "101"',
            "number = 101",
            "line 16: agent.li.number: write up to 20 letters a-z and digits, in quotes.",
        ),
        (
            "# one queue",
            'version = "3"\n# one queue',
            "line 1: version: write the configuration's version, a whole number.",
        ),
        ("[agent.li]", "[[agent]]", "line 15: agent: write [agent.some-id] and its keys in the lines below."),
        (
            "[queue.sales]",
            "[queue]\nsales = 3\n[queue.other]",
            "line 4: queue.sales: write [queue.sales] and its keys in the lines below.",
        ),
        ('skill = "sales"', f"skill = {'[' * 5_000}", "nests lists or tables deeper than any setting does"),
        ('skill = "sales"', "skill = sales", "The file is no TOML: Invalid value (at line 5, column 9)."),
        ('skill = "sales"', 'skill = "sales', "The file is no TOML: Illegal character '\\n' (at line 5, column 15)."),
        (
            "[entry.hotline]",
            "[queue.sales]",
            "no TOML: Cannot declare ('queue', 'sales') twice (at line 7, column 13).",
        ),
    ),
)
def test_a_mistake_is_told_with_its_key_its_line_and_what_to_write(old: str, new: str, message: str) -> None:
    """Bad input: a typo in the configuration."""
    assert old in SITE
    problems = told(SITE.replace(old, new, 1))
    assert any(problem.startswith(message) or message in problem for problem in problems), problems


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    problems = told(
        SITE.replace('skill = "sales"', "skill = 3\nmin_level = 0").replace("sales = 5", "sales = 0")
        + '\n[agent.lee]\nnumber = "101"\nname = "Lee"\nextension = "1001"\nskills = {}\nnick = "L"\n'
    )
    assert [problem.split(": ")[0] for problem in problems] == ["line 5", "line 6", "line 20", "line 27"]


def test_two_agents_with_one_phone_or_number_are_both_named() -> None:
    more = '\n[agent.lee]\nnumber = "101"\nname = "Lee"\nextension = "1001"\nskills = {}\n'
    assert told(SITE + more) == [
        "line 22: agent.lee.number: '101' belongs to agent.li; each needs its own.",
        "line 24: agent.lee.extension: '1001' belongs to agent.li; each needs its own.",
    ]


def test_two_entry_points_with_one_number_are_both_named() -> None:
    more = '\n[entry.second]\nname = "Second"\nnumbers = ["5000", "*"]\nqueue = "sales"\n'
    assert told(SITE + more) == ["line 23: entry.second.numbers: '*' belongs to entry.hotline; each needs its own."]


def test_a_file_full_of_mistakes_is_told_in_bounded_length() -> None:
    problems = told("".join(f"[agent.a{n}]\n" for n in range(200)))
    assert len(problems) == 21
    assert problems[-1] == "… and 780 more."


def test_a_file_that_is_far_too_long_is_not_even_read() -> None:
    assert "8000000 are the most" in told("#" * 8_000_001)[0]


def test_a_file_from_another_editor_is_read() -> None:
    """A byte-order mark and the line ends of Windows."""
    windows = "\ufeff" + SITE.replace("\n", "\r\n")
    assert site_file.read(windows, region="CN").events == site_file.read(SITE, region="CN").events


def test_what_is_not_said_is_as_usual() -> None:
    queue = site_file.read(SITE, region="CN").events["queue-sales"]
    assert queue == QueueConfigured(name="Sales", skill="sales")


# --- the way back --------------------------------------------------------------------------------------------------

_ids = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
_words = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,12}", fullmatch=True)
_names = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=80).map(str.strip).filter(bool)
_levels = st.integers(1, 9)
_ms = st.integers(1_000, 300_000)
_steps = st.builds(
    StepSetting,
    for_ms=_ms,
    skills=st.none() | st.dictionaries(_words, _levels, max_size=2).map(lambda found: dict(sorted(found.items()))),
    branch=st.just("local"),
    strongest=st.booleans(),
)
_queues = st.builds(
    QueueConfigured,
    name=_names,
    skill=_words,
    min_level=_levels,
    priority=st.integers(-1_000, 1_000),
    ring_ms=_ms,
    ring_at_once=st.integers(1, 20),
    wrap_up_ms=_ms,
    cool_down_ms=_ms,
    max_wait_ms=_ms,
    answer_target_ms=_ms,
    short_abandon_ms=_ms,
    music=_words,
    apology=_words,
    record=st.sampled_from(OF_QUEUES),
    rule=st.sampled_from(sorted(RULES)),
    level_first=st.booleans(),
    count_window=st.sampled_from(WINDOWS),
    day_begins_h=st.integers(0, 23),
    steps=st.lists(_steps, max_size=3).map(tuple),
    named_agent_ms=_ms,
    last_agent_ms=_ms,
    known_within_ms=st.integers(0, 5_000),
    age_per_min=st.integers(0, 1_000),
    age_cap=st.integers(0, 1_000),
    ring_most=st.integers(1, 20),
    ring_next_ms=_ms,
)
_numbers = st.text(string.digits, min_size=1, max_size=10)


@st.composite
def _sites(draw: st.DrawFn) -> dict[str, Event]:
    queues = draw(st.dictionaries(_ids, _queues, min_size=1, max_size=3))
    numbers = draw(st.lists(_numbers, unique=True, min_size=2, max_size=6))
    half = len(numbers) // 2
    entries = {
        "a": EntryPointConfigured(name=draw(_names), numbers=tuple(numbers[:half]), queue_id=min(queues)),
        "b": EntryPointConfigured(name=draw(_names), numbers=tuple(numbers[half:]), queue_id=max(queues)),
    }
    agents = {
        f"agent-{number}": AgentConfigured(
            number=number,
            name=draw(_names),
            extension=number,
            branch=draw(st.sampled_from(("", "sh"))),
            order=draw(st.integers(0, 1_000)),
            weight=draw(st.integers(1, 1_000)),
            skills=draw(st.dictionaries(_words, _levels, max_size=3).map(lambda found: dict(sorted(found.items())))),
        )
        for number in numbers
    }
    return {
        "level-vip": LevelConfigured(
            name=draw(_names), bonus=draw(st.integers(-1_000, 1_000)), strongest=draw(st.booleans())
        ),
        "branch-sh": BranchConfigured(name=draw(_names), prefixes=("+8621", "021")),
        **{f"queue-{ident}": queue for ident, queue in queues.items()},
        **{f"entry-{ident}": entry for ident, entry in entries.items()},
        **{f"agent-{ident}": agent for ident, agent in agents.items()},
    }


@settings(max_examples=60, deadline=None)
@given(_sites())
def test_what_is_written_is_read_again_as_it_was(events: dict[str, Event]) -> None:
    """Names in any script, quotes and backslashes in them, odd milliseconds: nothing is lost on the way."""
    text = site_text.write(events, site="main", version=7)
    site = site_file.read(text, region="CN")
    assert site.events == events
    assert site.version == 7


@settings(max_examples=25, deadline=None)
@given(_sites())
def test_every_line_that_is_found_is_the_line_of_its_key(events: dict[str, Event]) -> None:
    text = site_text.write(events, site="main", version=7)
    lines = Lines(text)
    rows = text.split("\n")
    for stream in events:
        kind, _, ident = stream.partition("-")
        header = lines.of((kind, ident))
        assert rows[header - 1] == f"[{kind}.{ident}]"
        line = lines.of((kind, ident, "name"))
        assert rows[line - 1].startswith("name = ")
        assert header < line < header + 4
    assert lines.of(("queue", "nowhere")) == 0


def test_how_many_callers_an_agent_may_have_and_who_may_take_them_is_read_and_written_back() -> None:
    """Features 1.9, 3.8."""
    text = SITE.replace('skill = "sales"', 'skill = "sales"\npick = "anyone"')
    text = text.replace("skills = { sales = 5 }", "skills = { sales = 5 }\ncapacity = { voice = 2 }")
    events = site_file.read(text, region="CN").events
    agent, queue = events["agent-li"], events["queue-sales"]
    assert isinstance(agent, AgentConfigured)
    assert isinstance(queue, QueueConfigured)
    assert (agent.capacity, queue.pick) == ({"voice": 2}, "anyone")
    assert site_file.read(site_text.write(events, site="main", version=1), region="CN").events == events
