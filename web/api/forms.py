"""What requests and answers are made of. Instants are ISO 8601 in UTC, `2026-11-22T10:15:00.123456Z`; lengths of time
are whole milliseconds, in fields whose names end in `_ms`; days are site-local, `2026-11-22`.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Generic, TypeVar, overload

from msgspec import UNSET, Meta, Struct, UnsetType

from orchestrator.domain.kernel import Instant
from orchestrator.service import deciding
from projections.pages import LONGEST, Page
from projections.reading import ERASED
from web.access.visitor import me
from web.shown import mask

T = TypeVar("T")
R = TypeVar("R", bound=Struct)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EXAMPLE: Final = "2026-11-22T10:15:00.123456Z"

Time = Annotated[
    datetime,
    Meta(tz=True, description="An instant, ISO 8601; answers are in UTC.", extra_json_schema={"examples": [_EXAMPLE]}),
]
Ms = Annotated[int, Meta(ge=0, description="Milliseconds.")]
Position = Annotated[int, Meta(ge=0, le=2**63 - 1, description="A position of the log; it counts up.")]
Ident = Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9._-]*$")]
"""An id of ours, or empty."""
Word = Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9:._-]*$")]
Text = Annotated[str, Meta(max_length=4_000)]
Line = Annotated[str, Meta(max_length=300)]
Number = Annotated[
    str,
    Meta(description="A telephone number: E.164, or masked (138****8000) where the role does not see whole numbers."),
]


class Query(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an address may carry behind `?`."""

    after: Annotated[Position, Meta(description="Wait, 2 s at most, until the answer knows this position.")] = 0


class Paged(Query, frozen=True, kw_only=True):
    """The same of a list."""

    limit: Annotated[int, Meta(ge=1, le=LONGEST, description="Items in the answer, at most.")] = 50
    cursor: Annotated[str, Meta(max_length=500, description="`next_cursor` of the page before.")] = ""


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """What carries nothing."""


class Items(Struct, Generic[T], frozen=True):
    """A list, or a page of one."""

    items: list[T]
    next_cursor: Annotated[str | None, Meta(description="Where the next page begins; null where there is none.")] = None


class Done(Struct, frozen=True, kw_only=True):
    """A write that was carried out. Whoever reads with `after` set to this position sees it; 0: nothing was new."""

    position: Position


class Written(Done, frozen=True, kw_only=True):
    """A write to a stream: of which order or customer, and its version since. `changed` is false where it was so."""

    id: str
    version: int
    changed: bool


class Problem(Struct, frozen=True, kw_only=True):
    """Problem details (RFC 9457). `code` is stable and for programs, `title` and `detail` are for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    where: Annotated[str | UnsetType, Meta(description="Which part of the request, as a JSON path.")] = UNSET


@overload
def time_of(instant: int) -> datetime: ...
@overload
def time_of(instant: int | None) -> datetime | None: ...
def time_of(instant: int | None) -> datetime | None:
    """The instant as answers have it."""
    return None if instant is None else _EPOCH + timedelta(microseconds=instant)


def instant_of(time: datetime | UnsetType) -> Instant | None:
    """The instant that a request names; None where it names none."""
    return None if time is UNSET else Instant((time - _EPOCH) // timedelta(microseconds=1))


def number_of(text: str) -> str:
    """A telephone number as this visitor may see it."""
    return text if text == ERASED or me().may("numbers.clear") else mask(text)


def written(done: deciding.Written) -> Written:
    """What a service answered."""
    return Written(position=done.position, id=done.ident, version=done.version, changed=done.changed)


def items_of(page: Page[R], items: list[T]) -> Items[T]:
    """These, which were made of that page."""
    return Items(items, page.next_cursor or None)


def given(value: T | UnsetType) -> T | None:
    """What a request says; None where it says nothing."""
    return None if value is UNSET else value


Json = dict[str, Any]
