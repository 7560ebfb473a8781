"""The reasons that an agent chooses from: for not being ready, and of what became of a contact.

Data, not code: a row for each. A site that wants others puts them here; the log takes any code of letters, digits, -
and _, and a screen shows one that it has no words for as it is.
"""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from msgspec import Struct


class Reason(Struct, frozen=True):
    """A choice. `most_min`: minutes after which its screen says that it is over time; 0 where it may last."""

    code: str
    words: LazyString
    most_min: int = 0


PAUSES: Final = (
    Reason("break", _l("break"), 15),
    Reason("meal", _l("meal"), 45),
    Reason("away", _l("away from the desk"), 5),
    Reason("training", _l("training")),
    Reason("meeting", _l("meeting")),
    Reason("paperwork", _l("paperwork")),
)

_ANY: Final = (
    Reason("solved", _l("solved")),
    Reason("call_back", _l("call back")),
    Reason("complaint", _l("complaint")),
    Reason("wrong_number", _l("wrong number")),
    Reason("nobody_there", _l("nobody on the line")),
)
# What is asked in a queue comes before what may come of any call.
_BY_QUEUE: Final[dict[str, tuple[Reason, ...]]] = {
    "orders": (
        Reason("order_taken", _l("order taken")),
        Reason("order_changed", _l("order changed or cancelled")),
        Reason("price_asked", _l("price asked")),
    ),
    "enquiries": (
        Reason("parcel_found", _l("parcel found")),
        Reason("parcel_late", _l("parcel late")),
        Reason("parcel_damaged", _l("parcel damaged")),
    ),
}


def wrap_up_reasons(queue_id: str) -> tuple[Reason, ...]:
    """What may be chosen after a contact of this queue; its first nine have the keys 1 to 9."""
    return (*_BY_QUEUE.get(queue_id, ()), *_ANY)


def most_min(code: str) -> int:
    """The longest that a pause of this reason should last, in minutes; 0 where there is no limit."""
    return next((reason.most_min for reason in PAUSES if reason.code == code), 0)


ALL: Final = {reason.code: reason for reasons in (PAUSES, _ANY, *_BY_QUEUE.values()) for reason in reasons}
