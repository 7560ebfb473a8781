"""The demo's people: one for each role, with passwords made at the first start and kept in a file for our eyes only."""

import os
import secrets
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from orchestrator.domain.access.users import Create, Grant
from orchestrator.service.access import Users
from orchestrator.service.passwords import Passwords
from orchestrator.settings import Settings
from orchestrator.store import DeskWriter, KeyShelf, Log, Source
from orchestrator.vault import Vault

_ACTOR: Final = "system"


class SignIn(Struct, frozen=True):
    """Who may sign in at the demo's web, and how."""

    user_id: str
    role: str
    password: str


class _Person(Struct, frozen=True):
    user_id: str
    name: str
    role: str
    agent_id: str = ""


# The agents are those of service/site.toml whose desks the robots leave to people.
_PEOPLE: Final = (
    _Person("lin-mei", "Lin Mei", "agent", "lin-mei"),
    _Person("zhao-lei", "Zhao Lei", "agent", "zhao-lei"),
    _Person("leader", "Chen Jing", "leader"),
    _Person("back-office", "Wu Min", "back_office"),
    _Person("service-point", "Hu Bo", "service_point"),
    _Person("quality", "Deng Li", "qa"),
    _Person("operations", "Fang Tao", "ops"),
    _Person("auditor", "Zheng Ya", "auditor"),
    _Person("admin", "Song Qi", "admin"),
)


def sign_ins_file(settings: Settings) -> Path:
    """Where the demo's sign-ins stand."""
    return settings.home / "demo-sign-ins"


def ensure(settings: Settings, url_writer: str) -> list[SignIn]:
    """Make those of the demo's people who are not there; how to sign in as each of them, as far as it is known.

    Whoever was made before keeps their password: where the file is gone, or names another, nothing is done about it.
    """
    source = Source(url_writer, name="ringledger demo")
    try:
        vault = Vault.unlock(settings.kek_file, KeyShelf(source))
        users = Users(DeskWriter(source, vault), Log(source, vault=vault), Passwords())
        known = {each.user_id: each for each in _read(sign_ins_file(settings))}
        made = [_make(users, person) for person in _PEOPLE if users.get(person.user_id) is None]
    finally:
        source.close()
    if made:
        known |= {each.user_id: each for each in made}
        _write(sign_ins_file(settings), list(known.values()))
    return [known[person.user_id] for person in _PEOPLE if person.user_id in known]


def _make(users: Users, person: _Person) -> SignIn:
    password = secrets.token_urlsafe(12)
    wish = Create(name=person.name, agent_id=person.agent_id)
    users.add(person.user_id, wish, Grant(roles=(person.role,)), password, actor=_ACTOR)
    return SignIn(person.user_id, person.role, password)


def _read(path: Path) -> list[SignIn]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[SignIn])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError):
        # Somebody edited it; it is a help to memory and nothing more.
        return []


def _write(path: Path, sign_ins: list[SignIn]) -> None:
    text = msgspec.json.format(msgspec.json.encode(sign_ins), indent=1)
    making = path.with_suffix(".making")
    making.unlink(missing_ok=True)
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text + b"\n")
    making.rename(path)
