"""Nothing that can happen is without words, in either language."""

import re

import msgspec

from orchestrator.domain.catalogue import CATALOGUE, Entry
from orchestrator.domain.kernel import Event, Instant, Provenance, Record, UnknownEvent
from tests.web.conftest import Site
from web.words import Names, sentence
from web.words.codes import CODES, code
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
