"""A draft: changes of the configuration that somebody collects before they are applied together.

Stream `draft-<id>`. A desk stream, written by the service of drafts; read by the configuration's screens.

    DraftBegun ──▶ open ──DraftApplied──▶ applied      DraftEdited, RemovalDrafted, EditWithdrawn: one thing's change
                    │ ▲                                DraftRebased: goes on from a newer version of the configuration
                    │ └─ DraftShared: others too       applied and discarded drafts stay as they were
                    └──DraftDiscarded──▶ discarded

What a draft holds of a thing are the keys of the site's file as they were given, right or wrong: nothing that was typed
is lost. Names of agents may be among them, so it is sealed.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from orchestrator.domain import texts
from orchestrator.domain.kernel import Event, Personal, Refused

MOST_EDITS: Final = 20_000
LONGEST_BODY: Final = 200_000
OPEN, APPLIED, DISCARDED = "open", "applied", "discarded"

# --- events ----------------------------------------------------------------------------------------------------------


class DraftBegun(Event, frozen=True, kw_only=True):
    """A draft of changes to version `base` of the configuration. `owner` is the actor whose it is."""

    name: Personal
    base: int
    owner: str


class DraftShared(Event, frozen=True, kw_only=True):
    """Others who may edit the configuration see the draft and work on it, too."""


class DraftEdited(Event, frozen=True, kw_only=True):
    """A thing, `queue-sales`, is to have these keys; `body` is their JSON as the site's file would have them."""

    thing: str
    body: Personal


class RemovalDrafted(Event, frozen=True, kw_only=True):
    """A thing is to be removed."""

    thing: str


class EditWithdrawn(Event, frozen=True, kw_only=True):
    """A thing is to stay as it is in force."""

    thing: str


class DraftRebased(Event, frozen=True, kw_only=True):
    """What others changed up to version `base` was seen; the draft goes on from there."""

    base: int


class DraftApplied(Event, frozen=True, kw_only=True):
    """The draft became this version of the configuration, in the same transaction."""

    version: int


class DraftDiscarded(Event, frozen=True, kw_only=True):
    """Nobody wants it any more."""


# --- state -----------------------------------------------------------------------------------------------------------


class Edit(Struct, frozen=True):
    """What a draft wants of one thing. `body` is None where it is to be removed; `version` of the draft since then."""

    body: str | None
    version: int


class Draft(Struct, frozen=True, kw_only=True):
    """A draft after a number of events, which is its version."""

    draft_id: str
    name: str
    owner: str
    base: int
    version: int
    shared: bool = False
    state: str = OPEN
    applied: int = 0
    edits: dict[str, Edit] = field(default_factory=dict)


def evolve(draft: Draft | None, event: Event, draft_id: str) -> Draft | None:
    """The draft after one more event. Never raises."""
    if draft is None:
        if not isinstance(event, DraftBegun):
            return None
        return Draft(draft_id=draft_id, name=event.name, owner=event.owner, base=event.base, version=1)
    version = draft.version + 1
    match event:
        case DraftEdited():
            return replace(draft, version=version, edits={**draft.edits, event.thing: Edit(event.body, version)})
        case RemovalDrafted():
            return replace(draft, version=version, edits={**draft.edits, event.thing: Edit(None, version)})
        case EditWithdrawn():
            left = {thing: edit for thing, edit in draft.edits.items() if thing != event.thing}
            return replace(draft, version=version, edits=left)
        case DraftShared():
            return replace(draft, version=version, shared=True)
        case DraftRebased():
            return replace(draft, version=version, base=event.base)
        case DraftApplied():
            return replace(draft, version=version, state=APPLIED, applied=event.version)
        case DraftDiscarded():
            return replace(draft, version=version, state=DISCARDED)
    return replace(draft, version=version)


# --- commands --------------------------------------------------------------------------------------------------------


class Begin(Struct, frozen=True, kw_only=True):
    """Begin a draft, with these edits to start from: a body, or None for a removal."""

    name: str
    base: int
    owner: str
    shared: bool = False
    edits: dict[str, str | None] = field(default_factory=dict)


class Change(Struct, frozen=True, kw_only=True):
    """Want these things so: a body, or None for a removal. `seen` is the draft's version that the author looked at."""

    edits: dict[str, str | None]
    seen: int


class Withdraw(Struct, frozen=True, kw_only=True):
    """Leave a thing as it is in force."""

    thing: str
    seen: int


class Share(Struct, frozen=True, kw_only=True):
    """Let others work on it, too."""


class Rebase(Struct, frozen=True, kw_only=True):
    """Go on from this version of the configuration, with these edits changed and these withdrawn."""

    base: int
    edits: dict[str, str | None]
    withdrawn: tuple[str, ...]
    seen: int


class Apply(Struct, frozen=True, kw_only=True):
    """It became this version."""

    version: int


class Discard(Struct, frozen=True, kw_only=True):
    """Throw it away."""


Command = Begin | Change | Withdraw | Share | Rebase | Apply | Discard


def decide(draft: Draft | None, command: Command) -> tuple[Event, ...]:
    """The events that follow, `()` where it is so already.

    Raises `Refused`: `no_such_draft`, `draft_closed`, `draft_changed` (somebody else edited the same thing in this
    draft since the author looked), `bad_text`, `draft_full`.
    """
    if isinstance(command, Begin):
        return () if draft is not None else _begin(command)
    if draft is None:
        raise Refused("no_such_draft", "There is no such draft.")
    if draft.state != OPEN:
        raise Refused("draft_closed", f"This draft was {draft.state} already; begin a new one.")
    match command:
        case Change():
            _refuse_unseen(draft, command.edits, command.seen)
            return _edited(draft, command.edits)
        case Withdraw():
            if command.thing not in draft.edits:
                return ()
            _refuse_unseen(draft, (command.thing,), command.seen)
            return (EditWithdrawn(thing=command.thing),)
        case Share():
            return () if draft.shared else (DraftShared(),)
        case Rebase():
            _refuse_unseen(draft, draft.edits, command.seen)
            withdrawn = tuple(EditWithdrawn(thing=thing) for thing in command.withdrawn if thing in draft.edits)
            rebased = () if draft.base == command.base else (DraftRebased(base=command.base),)
            return (*rebased, *_edited(draft, command.edits), *withdrawn)
        case Apply():
            return (DraftApplied(version=command.version),)
    return (DraftDiscarded(),)


def _begin(command: Begin) -> tuple[Event, ...]:
    name = texts.one_line(command.name, "Name")
    if not name:
        raise Refused("bad_text", "Name: write what the draft is for.")
    begun = DraftBegun(name=name, base=command.base, owner=command.owner)
    shared = (DraftShared(),) if command.shared else ()
    empty = Draft(draft_id="", name=name, owner=command.owner, base=command.base, version=1)
    return (begun, *shared, *_edited(empty, command.edits))


def _edited(draft: Draft, edits: dict[str, str | None]) -> tuple[Event, ...]:
    if len(draft.edits.keys() | edits.keys()) > MOST_EDITS:
        raise Refused("draft_full", f"A draft changes up to {MOST_EDITS} things; apply this one first.")
    for thing, body in edits.items():
        if len(body or "") > LONGEST_BODY:
            raise Refused("bad_text", f"{thing} is too long.")
    return tuple(
        RemovalDrafted(thing=thing) if body is None else DraftEdited(thing=thing, body=body)
        for thing, body in edits.items()
        if (before := draft.edits.get(thing)) is None or before.body != body
    )


def _refuse_unseen(draft: Draft, things: Iterable[str], seen: int) -> None:
    for thing in things:
        if thing in draft.edits and draft.edits[thing].version > seen:
            raise Refused(
                "draft_changed",
                f"Somebody changed {thing} in this draft since you looked. Look at what is there now, then save yours.",
            )
