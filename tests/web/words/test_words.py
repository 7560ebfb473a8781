"""Nothing that can happen is without words, in either language."""

import re

import msgspec
import pytest

from orchestrator.domain.catalogue import CATALOGUE, Entry
from orchestrator.domain.contacts.events import Candidate, Decision
from orchestrator.domain.kernel import Event, Instant, Provenance, Record, UnknownEvent
from orchestrator.domain.routing.requirements import Requirement
from orchestrator.domain.routing.rules import RULES
from tests.web.conftest import Site
from web.words import Names, sentence
from web.words.codes import CODES, code, rule
from web.words.decisions import reasons
from web.words.sentences import SENTENCES


def filled(kind: type[Event]) -> Event:
    """A value of a type, the same each time."""
    return msgspec.convert(_plain(msgspec.inspect.type_info(kind)), kind, strict=False)


def _plain(info: msgspec.inspect.Type) -> object:
    match info:
        case msgspec.inspect.StrType():
            return "word"
        case msgspec.inspect.IntType() | msgspec.inspect.FloatType():
            return 65_000
        case msgspec.inspect.BoolType():
            return True
        case msgspec.inspect.VarTupleType() | msgspec.inspect.ListType():
            return [_plain(info.item_type)]
        case msgspec.inspect.TupleType():
            return [_plain(each) for each in info.item_types]
        case msgspec.inspect.DictType():
            return {"key": _plain(info.value_type)}
        case msgspec.inspect.UnionType():
            return _plain(info.types[0])
        case msgspec.inspect.StructType(array_like=True):
            return [_plain(field.type) for field in info.fields]
        case msgspec.inspect.StructType():
            return {field.encode_name: _plain(field.type) for field in info.fields}
        case msgspec.inspect.Metadata():
            return _plain(info.type)
    return None


def test_every_event_has_a_sentence_in_english_and_in_chinese(site: Site) -> None:
    """Features 11.1 and 12.8: no event is shown by a class name, none has a placeholder left."""
    for entry in CATALOGUE.values():
        _judge(site, entry)


def _judge(site: Site, entry: Entry) -> None:
    assert entry.cls in SENTENCES, entry.name
    record = Record(
        stream=f"{entry.kind}-1", version=1, event=filled(entry.cls), event_id="e", about=Provenance(at=Instant(1))
    )
    found = []
    for language in ("en", "zh"):
        with site.app.test_request_context(headers={"Accept-Language": language}):
            found.append(sentence(record, Names()))
    english, chinese = found
    assert english, entry.name
    assert not re.search(r"%\(\w+\)", english + chinese)
    assert re.search(r"[一-鿿]", chinese), chinese


def test_an_event_of_a_newer_program_is_named(site: Site) -> None:
    """An event of an unknown version is shown, never dropped."""
    event = UnknownEvent(name="ContactSang", version=3, body=b"{}")
    record = Record(stream="contact-1", version=1, event=event, event_id="e", about=Provenance(at=Instant(1)))
    with site.app.test_request_context():
        assert "ContactSang" in sentence(record, Names())


def test_a_companys_own_code_is_shown_as_it_is(site: Site) -> None:
    with site.app.test_request_context():
        assert code("lunch_at_two") == "lunch at two"


def test_every_code_of_ours_has_chinese_words(site: Site) -> None:
    with site.app.test_request_context(headers={"Accept-Language": "zh"}):
        assert [text for text in CODES if not re.search(r"[一-鿿]", code(text))] == []


@pytest.mark.parametrize(
    ("language", "asked", "ranked", "why"),
    (
        (
            "en",
            "Skill “zh” at level 5 or higher, only branch sh, step 2; fewest calls first; configuration version 7.",
            " Counted over this hour. Rank of the contact: priority +3, waiting +2.",
            "level 6, 1 call, idle for",
        ),
        (
            "zh",
            "技能“zh”，等级 5 及以上, 仅限分支机构 sh, 第 2 步；通话最少优先；配置版本 7。",
            " 统计范围：本小时。 排队分值：优先级 +3, 等待",
            "等级 6, 1 通电话, 已空闲",
        ),
    ),
)
def test_a_decision_says_what_was_asked_what_counted_and_why_the_others_were_out(
    site: Site, language: str, asked: str, ranked: str, why: str
) -> None:
    """Feature 3.9, complaint 25."""
    decision = Decision(
        rule="fewest_calls",
        config_version=7,
        skill="zh",
        min_level=1,
        candidates=(Candidate(agent_id="a1", level=6, idle_ms=5_000, score={"calls": 1}),),
        others={"level_too_low": 2, "declined": 1},
        requirement=Requirement(skills={"zh": 5}, branch="sh"),
        step=1,
        level_first=False,
        window="hour",
        rank={"priority": 3, "aged": 2},
    )
    with site.app.test_request_context(headers={"Accept-Language": language}):
        told, (line,), others = reasons(decision, frozenset({"a1"}), Names())
    assert told.startswith(asked + ranked)
    assert line.why.startswith(why)
    assert line.chosen
    assert len(others) == 2
    if language == "en":
        assert others == ["1 other agent: did not take it just now", "2 other agents: level too low"]


@pytest.mark.parametrize("language", ("en", "zh"))
def test_a_rule_is_said_by_its_own_words_and_one_that_is_gone_by_its_name(site: Site, language: str) -> None:
    """Feature 3.2: a rule that is added needs no word anywhere else."""
    with site.app.test_request_context(headers={"Accept-Language": language}):
        assert {rule(name) for name in RULES} == {each.words[language] for each in RULES.values()}
        assert rule("by_zodiac_sign") == "by zodiac sign"
