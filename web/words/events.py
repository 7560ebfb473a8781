"""An event as a sentence, and whose it is."""

from flask_babel import lazy_gettext as _l

from orchestrator.domain.kernel import Record, UnknownEvent, ident_of, kind_of
from web.words.names import Names
from web.words.sentences import SENTENCES


def sentence(record: Record, names: Names) -> str:
    """What happened, in the reader's language. Carries no personal data. Every event has one."""
    event = record.event
    if isinstance(event, UnknownEvent):
        return str(
            _l("%(name)s (version %(version)s, made by a newer program)", name=event.name, version=event.version)
        )
    row = SENTENCES.get(type(event))
    if row is None:
        return type(event).__name__
    words, fill = row
    found = fill(event, names)
    text = str(words)
    return text % found if found else text


def about(record: Record, names: Names) -> str:
    """Whose stream this is, for lists over many streams."""
    kind, ident = kind_of(record.stream), ident_of(record.stream)
    match kind:
        case "shift":
            return names.of_shift(ident)
        case "agent":
            return names.agent(ident)
        case "queue":
            return names.queue(ident)
        case "contact" | "customer" | "order":
            return ident[:8]
    return ident
