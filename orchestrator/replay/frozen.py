"""The live state as bytes that may be kept for years, without a person in them; and back.

    log ──marked──▶ fold ──freeze──▶ bytes: of each personal text only (stream, field, sealed)
                                       └──thaw, as this reader may──▶ the state, as a fold from the beginning has it

Whoever folds for a snapshot reads the log through `Marks`, which puts a mark in the place of each personal text. What
is kept is the place; the text comes back by the keys of whoever takes the state up again, and does not where the
person was erased meanwhile. Bytes are read with care: nothing but the state's own kinds of things is made of them.
"""

import io
import pickle
import secrets
import zlib
from hashlib import blake2b
from importlib import resources
from importlib.resources.abc import Traversable
from types import FunctionType
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.kernel import Instant
from orchestrator.domain.observed import Observed
from orchestrator.replay.picture import picture
from orchestrator.store import Log, Opener

# How the bytes are laid out, and what a mark is of; counted up where this file changes that.
_FORM: Final = 2
# Things of the standard library, and what makes msgspec's structs again.
_PLAIN: Final = frozenset(
    {
        ("collections", "Counter"),
        ("collections", "OrderedDict"),
        ("collections", "deque"),
        ("msgspec._utils", "rebuild"),
    }
)
_DOMAIN: Final = "orchestrator.domain."
# Most of it are ids, which hardly shrink: more effort gains nothing.
_EFFORT: Final = 1


class Damaged(Exception):
    """Bytes that are no frozen state of this code."""


class Marks:
    """Marks for personal texts, which nobody outside can imitate: one of these for one fold."""

    def __init__(self) -> None:
        self._head = f"\x00{secrets.token_hex(16)}\x00"

    def opener(self, stream: str, path: str, sealed: str) -> str:
        """What a log is to be read through (`Log(…, opener=)`)."""
        return f"{self._head}{stream}\x00{path}\x00{sealed}"

    def place(self, text: object) -> tuple[str, str, str] | None:
        """Where the text stands that this is the mark of; None for everything else."""
        if type(text) is not str or not text.startswith(self._head):
            return None
        stream, path, sealed = text[len(self._head) :].split("\x00")
        return stream, path, sealed


def freeze(world: Observed, marks: Marks, *, effort: int = _EFFORT) -> bytes:
    """The state as bytes. It must have been folded from what `marks` opened, or from what `thaw` was given for it."""
    body = io.BytesIO()
    freezer = _Freezer(body, marks)
    freezer.dump(world)
    streams = pickle.dumps(tuple(sorted(freezer.streams)), protocol=pickle.HIGHEST_PROTOCOL)
    return zlib.compress(streams + body.getvalue(), effort)


def thaw(state: bytes, opener: Log | Opener) -> Observed:
    """The state again, the caller's to keep: personal texts as this log's reader may have them.

    Raises `Damaged`, and `Away` where the log's keys cannot be reached.
    """
    try:
        unfrozen = io.BytesIO(zlib.decompress(state))
        streams = _Thawer(unfrozen).load()
        thawer = _Thawer(unfrozen, opener.opener(set(streams)) if isinstance(opener, Log) else opener)
        world = thawer.load()
    except (zlib.error, pickle.UnpicklingError, EOFError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise Damaged(f"{type(error).__name__}: {error}") from error
    if not isinstance(world, Observed):
        raise Damaged(f"It holds a {type(world).__name__}.")
    return world


def mark_of(world: Observed) -> bytes:
    """A digest of everything that the state says, its personal texts apart: equal for equal states."""
    said = (
        picture(world, Instant(0), position=0),
        world.versions,
        world.config_version,
        list(world.timers),
        list(world.closed_legs.items()),
        list(world.left_legs.items()),
        list(world.imported),
        list(world.last_agents.items()),
        sorted(world.contact_of_leg.items()),
        sorted(world.open_offers),
        sorted(world.lines),
        sorted((queue_id, world.matching.states(queue_id)) for queue_id in world.queues),
        sorted(world.admission.blacklist.standing()),
        sorted(map(str, world.admission.limits.standing().items())),
        [(queue_id, world.admission.visits(queue_id)) for queue_id in sorted(world.queues)],
        [_said_of(contact) for _, contact in sorted(world.contacts.items())],
        sorted(world.far_legs.items()),
        sorted(world.outside_legs),
        sorted(world.nodes.items()),
        sorted(world.shifts.items()),
        sorted(world.shift_of_agent.items()),
        sorted(world.shift_at.items()),
        _configured(world),
        sorted(world.counters.standing().items()),
        [(queue_id, world.waits.expected(queue_id, 0, free=False)) for queue_id in sorted(world.queues)],
        sorted((quarter, sorted(days.items())) for quarter, days in world.quarters.items()),
        world.forgotten,
    )
    return blake2b(msgspec.json.encode(said, order="deterministic"), digest_size=16).digest()


def _configured(world: Observed) -> object:
    """Everything that people set, the names of agents apart."""
    named = (world.queues, world.entries, world.levels, world.branches, world.agent_of_number, world.sent_away)
    one = (world.outside, world.reasons, world.recordings, world.conferences, world.desks)
    agents = [(agent_id, replace(agent, name="")) for agent_id, agent in sorted(world.agents.items())]
    return agents, [sorted(each.items()) for each in named], one


def _said_of(contact: Contact) -> object:
    """What a picture does not show of a talk: who hears whom, and who may not be heard."""
    asked = contact.consult
    consult = (asked.consult_id, asked.hears, asked.wish, asked.answered, asked.over) if asked is not None else ()
    guests = [(guest.guest_id, guest.answered, guest.joined, guest.held, guest.due) for guest in contact.guests]
    apart = (contact.aside, contact.hushed)
    transfer = contact.transfer is not None
    return contact.contact_id, contact.segment, contact.monitor, transfer, consult, guests, apart, contact.dial


def shape() -> str:
    """Which code a frozen state is for: a digest of all that folding consists of. One that changed reads no other's."""
    digest = blake2b(f"{_FORM} {pickle.HIGHEST_PROTOCOL} {msgspec.__version__}".encode(), digest_size=12)
    for path, text in sorted(_sources(resources.files("orchestrator.domain"), "")):
        digest.update(f"\x00{path}\x00".encode() + text)
    return digest.hexdigest()


def _sources(folder: Traversable, above: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for each in folder.iterdir():
        path = f"{above}/{each.name}"
        if each.is_dir():
            found += _sources(each, path)
        elif each.name.endswith(".py"):
            found.append((path, each.read_bytes()))
    return found


class _Freezer(pickle.Pickler):
    def __init__(self, file: io.BytesIO, marks: Marks) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self.streams: set[str] = set()
        self._marks = marks

    def persistent_id(self, obj: Any) -> tuple[str, str, str] | None:  # noqa: ANN401 - whatever there is
        place = self._marks.place(obj)
        if place is not None:
            self.streams.add(place[0])
        return place


class _Thawer(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, opener: Opener | None = None) -> None:
        super().__init__(file)
        self._opener = opener

    def persistent_load(self, pid: Any) -> str:  # noqa: ANN401 - as the base has it
        if self._opener is None:
            raise pickle.UnpicklingError("a personal text where none can be")
        stream, path, sealed = pid
        return self._opener(stream, path, sealed)

    def find_class(self, module_name: str, global_name: str) -> Any:  # noqa: ANN401 - as the base has it
        if (module_name, global_name) in _PLAIN:
            return super().find_class(module_name, global_name)
        if module_name.startswith(_DOMAIN) and "." not in global_name:
            found = super().find_class(module_name, global_name)
            # Defined there, not imported there: the core is pure, so whatever is called of it does nothing outside.
            if isinstance(found, type | FunctionType) and found.__module__.startswith(_DOMAIN):
                return found
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is no part of the live state")
