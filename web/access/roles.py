"""Which role may do what. Everything is refused that does not stand here.

A route names the one permission that it needs (`@needs("work.see")`); whoever holds a role that has it may pass. Whose
agents and contacts they then see is a matter of scope: `me().scope`, of teams and branches.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from orchestrator.domain.access.scope import EVERYBODY, Scope
from orchestrator.domain.access.tokens import WALLBOARD
from orchestrator.domain.access.users import ROLES

PUBLIC: Final = "public"
"""For everybody, signed in or not."""
SIGNED_IN: Final = "signed_in"
"""For everybody who is signed in, whatever their roles."""
BOARD: Final = "board.watch"
"""For whoever sees the wallboard, a screen on a wall too."""

PERMISSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        PUBLIC: "see what needs no sign-in",
        SIGNED_IN: "have a session of one's own",
        "pages.follow": "have a page that one sees told of what changes on it",
        "desk.use": "be an agent: ready, accept, talk, wrap up",
        "calls.dial": "call numbers outside, as the site's rules allow",
        BOARD: "see the figures of the queues, without anybody's name or number",
        "floor.watch": "see the floor: queues, agents and contacts of now",
        "floor.direct": "change what an agent does",
        "talks.listen": "hear a talk as it is, at one's own phone",
        "talks.coach": "whisper to the agent in it",
        "talks.enter": "barge in, and take the caller over",
        "agents.act": "let an agent be ready, accept, talk, wrap up: oneself, or with floor.direct whom one directs",
        "waiting.take": "see who waits, and take somebody by hand: oneself, or with floor.direct for whom one directs",
        "waiting.direct": "move waiting callers to another queue, and change how urgent they are",
        "sizing.see": "see how many agents are needed, beside how many were there",
        "history.search": "search contacts that were, and open them",
        "recordings.hear": "find recordings and listen to them, which is recorded",
        "recordings.export": "take a recording out of the house as a file, which is recorded with its reason",
        "recordings.hold": "hold recordings for a case, and lift holds",
        "replay.watch": "see how everything was at an instant",
        "ops.see": "see whether the log was proved, and how far snapshots and read models are",
        "audit.see": "see every event, and who looked at what",
        "customers.see": "find customers and see their pages",
        "customers.edit": "change customers, write notes",
        "work.see": "see work orders",
        "work.open": "open a work order",
        "work.handle": "assign work orders, note, finish, reopen them",
        "work.close": "close work orders for good",
        "blacklist.see": "see the blacklist, and what became of each entry",
        "blacklist.keep": "add to the blacklist, change it, take numbers off it",
        "notices.switch": "see what callers hear before the music, switch it on and off",
        "nodes.drain": "let a switch take no new calls, so that it can be worked on",
        "numbers.clear": "see whole telephone numbers of callers at once",
        "personal.reveal": "have masked personal data shown, which is recorded",
        "routing.see": "see queues, entry points, agents' skills and the rest of the configuration, as it is and was",
        "routing.edit": "collect changes of the configuration in drafts",
        "routing.apply": "make a draft the configuration",
        "users.manage": "add users, change roles, end sessions",
    }
)

_GRANTS: Final[Mapping[str, str]] = {
    "agent": "desk.use agents.act calls.dial waiting.take customers.see customers.edit work.see work.open work.handle"
    " numbers.clear",
    "leader": "board.watch floor.watch floor.direct agents.act calls.dial waiting.take waiting.direct history.search"
    " recordings.hear recordings.export customers.see customers.edit work.see work.open work.handle work.close"
    " personal.reveal blacklist.see blacklist.keep notices.switch sizing.see routing.see routing.edit"
    " talks.listen talks.coach talks.enter",
    "back_office": "customers.see customers.edit work.see work.open work.handle work.close personal.reveal"
    " blacklist.see blacklist.keep",
    "service_point": "work.see work.handle personal.reveal",
    "qa": "history.search recordings.hear customers.see",
    "ops": "board.watch floor.watch replay.watch ops.see history.search notices.switch nodes.drain sizing.see",
    "auditor": "history.search recordings.hear recordings.export recordings.hold replay.watch ops.see audit.see"
    " customers.see work.see personal.reveal blacklist.see",
    "admin": "board.watch floor.watch users.manage ops.see audit.see blacklist.see blacklist.keep notices.switch"
    " nodes.drain sizing.see routing.see routing.edit routing.apply",
}

GRANTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        **{role: frozenset(_GRANTS[role].split()) | {PUBLIC, SIGNED_IN, "pages.follow"} for role in ROLES},
        WALLBOARD: frozenset({PUBLIC, "pages.follow", BOARD}),
    }
)
"""Role to permissions."""


WHOLE: Final = frozenset(
    {"replay.watch", "ops.see", "audit.see", "routing.see", "routing.edit", "routing.apply", "nodes.drain"}
)
"""What shows or moves the whole centre, whoever's it is: not for those who see some teams or branches only."""


AT_DESK: Final = frozenset(
    {PUBLIC, SIGNED_IN, "pages.follow", "desk.use", "calls.dial", "waiting.take", "numbers.clear"}
)
"""What nobody needs to be asked about for a while: an agent's own work with callers."""


def permissions_of(roles: Iterable[str], scope: Scope = EVERYBODY) -> frozenset[str]:
    """Everything that these roles may do in this scope; only PUBLIC where there is no role. A role not
    known here may nothing more.
    """
    found = frozenset({PUBLIC}).union(*(GRANTS.get(role, frozenset()) for role in roles))
    return found - WHOLE if scope.limited else found
