"""What became of recordings, and who heard them, in words."""

from typing import Any, Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from orchestrator.domain.access import users
from orchestrator.domain.contacts import keeping
from orchestrator.domain.kernel import Event
from web.words.codes import code
from web.words.names import Names, duration


def _case(event: Any, _names: Names) -> dict[str, object]:  # noqa: ANN401 - whichever event is of a case
    return {"case": event.case}


def _contact(event: Any, _names: Names) -> dict[str, object]:  # noqa: ANN401 - whichever event is of a contact
    return {"contact": event.contact_id[:8] or event.file}


KEPT: Final[dict[type[Event], tuple[LazyString, Any]]] = {
    keeping.RecordingSealed: (
        _l("The recording is kept encrypted, %(size)s kB"),
        lambda e, _: {"size": e.length // 1_000},
    ),
    keeping.RecordingEndangered: (
        _l("Alarm: the recording is not kept as it should be (%(why)s)"),
        lambda e, _: {"why": code(e.why)},
    ),
    keeping.RecordingDiscarded: (
        _l("The recording was too short to be kept: %(length)s"),
        lambda e, _: {"length": duration(e.length_ms)},
    ),
    keeping.RecordingHeld: (_l("The recording is held for the case %(case)s"), _case),
    keeping.RecordingReleased: (_l("The hold for the case %(case)s is lifted"), _case),
    keeping.RecordingDeleted: (
        _l("The recording was kept for %(days)s days, and is deleted"),
        lambda e, _: {"days": e.days},
    ),
    keeping.RecordingArchived: (
        _l("The recording lies on the medium %(medium)s from now on"),
        lambda e, _: {"medium": e.medium},
    ),
    keeping.RecordingKeyCopied: (_l("A copy of the recording’s key is kept while it is held"), lambda _e, _n: {}),
    users.RecordingPlayed: (_l("Listened to a recording of contact %(contact)s"), _contact),
    users.RecordingExported: (_l("Took a copy of a recording of contact %(contact)s"), _contact),
}
