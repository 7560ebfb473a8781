"""The environment, read once into one frozen object; nothing else in the project looks at `os.environ`.

Each `RINGLEDGER_*` variable is one row of `VARIABLES`: its name, what it means, its default, how it is read and how it
may be shown. `ringledger settings` prints that table; passwords are masked in it, in errors and in `repr`.
"""

import difflib
import hashlib
import os
import pwd
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PREFIX: Final = "RINGLEDGER_"
# mod_event_socket's own default port (event_socket.conf.xml, `listen-port`).
ESL_PORT: Final = 8021
MASK: Final = "***"
# When calls are decided while the database is away.
OFF, ALONE, ALWAYS = "off", "alone", "always"
# Names that become part of stream ids and file names.
_PLAIN_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_HIGHEST_PORT: Final = 65535
_MOST_MINUTES: Final = 1_440
_LABEL: Final = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_CONNECT: Final = re.compile(
    rf"(?P<origin>(?:wss|ws|https|http)://(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:]{{2,39}}\])(?::(?P<port>[1-9][0-9]{{0,4}}))?)/?"
)


class SettingsError(Exception):
    """One or more variables cannot be used; the message has a line for each, with what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where something of ours listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Switch:
    """A FreeSWITCH node and the door of its event socket."""

    name: str
    host: str
    port: int
    password: str = field(repr=False)
    peer: Address | None = None
    """Where the other switches bring their callers to its phones."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides."""

    home: Path
    database_url: str = field(repr=False)  # may hold a password
    switches: tuple[Switch, ...]
    freeswitch: Path | None
    demo: bool
    standby: bool
    site: str
    kek_file: Path
    tape_max_mb: int
    recordings: Path
    kept: Path
    archive: tuple[Path, ...]
    fetch: Address
    fetch_from: Mapping[str, Address]
    metrics: Address | None
    web: Address | None
    web_origin: str
    web_connect: tuple[str, ...]
    spool: str
    spool_max_mb: int
    away_desk_min: int
    away_rights_min: int
    log_level: str
    region: str
    timezone: ZoneInfo

    @property
    def keys(self) -> Path:
        """The directory of generated secrets, for our eyes only."""
        return self.home / "keys"

    @property
    def mark(self) -> str:
        """Tells the ledgers of one machine apart, without telling where they are."""
        return hashlib.sha256(str(self.home).encode()).hexdigest()[:12]

    @property
    def spools(self) -> Path:
        """The directory of what waits for a database that is away; all engines of this machine share it."""
        return self.home / "spool"

    @property
    def meanwhile(self) -> Path:
        """The directory of what people did at the web while the database was away, until it is recorded."""
        return self.home / "meanwhile"

    @property
    def tapes(self) -> Path:
        """The directory of recorded input."""
        return self.home / "tape"


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: `read` turns its text into a value or raises ValueError with what to write instead."""

    name: str
    field: str
    meaning: str
    default: Callable[["_Defaults"], str]
    read: Callable[[str], object]
    show: Callable[[str], str] = str
    # Whether "set, but empty" is a value of its own (off, none) or the same as not set.
    empty_counts: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `ringledger settings`."""

    name: str
    value: str
    default: str
    meaning: str
    is_set: bool


@dataclass(frozen=True, slots=True)
class _Defaults:
    """What defaults depend on: who runs this, and the home already read."""

    environ: Mapping[str, str]
    uid: int
    home: str = ""

    def data_home(self) -> str:
        if self.uid == 0:
            # The server runs as an unprivileged user, which must be able to come this far without a wider /root.
            return "/var/lib/ringledger"
        user_home = self.environ.get("HOME") or pwd.getpwuid(self.uid).pw_dir
        return str(Path(self.environ.get("XDG_DATA_HOME") or f"{user_home}/.local/share") / "ringledger")


def _always(text: str) -> Callable[[_Defaults], str]:
    return lambda _: text


# --- reading ---------------------------------------------------------------------------------------------------------
def _read_path(text: str) -> Path:
    if "\0" in text or "\n" in text:
        raise ValueError("is no path: it holds a line break or a zero byte; write an absolute path")
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise ValueError(f"is not absolute: {text!r}; write the whole path, from / on")
    return path


def _read_program(text: str) -> Path | None:
    if not text:
        return None
    path = _read_path(text)
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise ValueError(f"names no program that can be run: {text!r}; give the path of the freeswitch binary")
    return path


def _read_flag(text: str) -> bool:
    match text.strip().lower():
        case "1" | "true" | "yes" | "on":
            return True
        case "0" | "false" | "no" | "off":
            return False
    raise ValueError(f"is neither 0 nor 1: {text!r}; write 1 for on, 0 for off")


def _read_name(text: str) -> str:
    if not _PLAIN_NAME.fullmatch(text):
        raise ValueError(f"cannot be a name: {text!r}; use at most 40 of a-z, 0-9 and inner hyphens")
    return text


def _read_megabytes(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,7}", text) or int(text) < 1:
        raise ValueError(f"is no size in megabytes: {text!r}; write a whole number from 1 up")
    return int(text)


def _read_minutes(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > _MOST_MINUTES:
        raise ValueError(f"is no number of minutes: {text!r}; write 0 to {_MOST_MINUTES}")
    return int(text)


def _read_port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) <= _HIGHEST_PORT:
        raise ValueError(f"has no usable port: {text!r}; a port is a number from 1 to {_HIGHEST_PORT}")
    return int(text)


def _read_address(text: str) -> Address | None:
    if not text:
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not host:
        raise ValueError(f"is no address: {text!r}; write host:port, such as 127.0.0.1:9464, or leave it empty")
    return Address(host.removeprefix("[").removesuffix("]"), _read_port(port))


def _read_door(text: str) -> Address:
    address = _read_address(text)
    if address is None:
        raise ValueError("is empty; write host:port, such as 127.0.0.1:9465")
    return address


def _read_paths(text: str) -> tuple[Path, ...]:
    return tuple(_read_path(each) for each in text.split(":") if each)


def _read_doors(text: str) -> dict[str, Address]:
    """Where the doors to the recordings of other machines' switches are, by the switches' names."""
    doors: dict[str, Address] = {}
    for item in filter(None, (each.strip() for each in text.split(","))):
        name, equals, address = item.partition("=")
        if not equals or not address:
            raise ValueError(f"names no door: {item!r}; write switch=host:port, such as node2=10.0.0.12:9465")
        if _read_name(name) in doors:
            raise ValueError(f"names {name} twice; a switch's recordings lie on one machine")
        doors[name] = _read_door(address)
    return doors


def _read_origin(text: str) -> str:
    if not text:
        return text
    parts = _split_url(text, "https://desk.example.com")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(
            f"is no origin: {text!r}; write what a browser's address begins with: https://desk.example.com"
        )
    return f"{parts.scheme}://{parts.netloc}"


def _read_connect(text: str) -> tuple[str, ...]:
    """Origins as a content security policy writes them: no path, no wildcard, nothing that would end the directive."""
    origins = []
    for item in text.replace(",", " ").split():
        found = _CONNECT.fullmatch(item.lower())
        if found is None or int(found["port"] or 1) > _HIGHEST_PORT:
            raise ValueError(
                f"has {item!r}, which is no origin; write wss://switch.example.com:7443 or https://…, several with "
                "commas, and neither path nor *"
            )
        origins.append(found["origin"])
    return tuple(dict.fromkeys(origins))


def _read_database_url(text: str) -> str:
    if not text:
        return text
    parts = _split_url(text, "postgresql://owner:password@host:5432/database")
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError(f"begins with {parts.scheme}://; only postgresql://… is understood (PostgreSQL 15 or newer)")
    if not parts.path.strip("/"):
        raise ValueError("names no database; end it with /name, as in postgresql://owner:password@host:5432/ringledger")
    return text


def _read_switches(text: str) -> tuple[Switch, ...]:
    switches = tuple(_read_switch(item.strip()) for item in text.split(",") if item.strip())
    names = [switch.name for switch in switches]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"names two switches {name!r}; give each its own with /?name=…")
    if len(switches) > 1 and (alone := [switch.name for switch in switches if switch.peer is None]):
        raise ValueError(
            f"has several switches, and no way to the phones of {', '.join(alone)}; give each &peer=ADDRESS:PORT, "
            "where the others bring their callers (`ringledger switch-files` sets both ends up)"
        )
    return switches


def _read_switch(text: str) -> Switch:
    parts = _split_url(text, "esl://:password@127.0.0.1:8021/?name=node1")
    shown = _mask_switch(text)
    if parts.scheme != "esl":
        raise ValueError(f"has {shown!r}, which is no switch; write esl://:password@host:port/?name=… for each")
    if parts.username:
        raise ValueError("has a user name before the password; the event socket knows none: esl://:password@host")
    if not parts.password:
        raise ValueError(f"has no password in {shown!r}; write esl://:password@host:port (a comma in it as %2C)")
    if not parts.hostname:
        raise ValueError(f"has no host in {shown!r}; write esl://:password@host:port")
    query = parse_qs(parts.query, keep_blank_values=True)
    if unknown := set(query) - {"name", "peer"}:
        raise ValueError(f"has {', '.join(sorted(unknown))} in {shown!r}; only name=… and peer=… may stand after the ?")
    password = unquote(parts.password)
    if any(not character.isprintable() for character in password):
        raise ValueError(f"has a control character in the password of {shown!r}; the event socket would read two lines")
    port = parts.port or ESL_PORT
    given = query.get("name", [""])[0]
    name = _read_name(given) if given else re.sub("[^a-z0-9]+", "-", f"{parts.hostname.lower()}-{port}").strip("-")
    return Switch(name, parts.hostname, port, password, _read_peer(query.get("peer", [""])[0]))


def _read_peer(text: str) -> Address | None:
    """The address itself, not a name: who may bring calls is judged by where they come from."""
    peer = _read_address(text)
    if peer is not None:
        try:
            ip_address(peer.host)
        except ValueError:
            raise ValueError(f"has peer={text}, which is no IP address and port, such as 192.0.2.1:5070") from None
    return peer


def _split_url(text: str, example: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises by itself when the port is no number
    except ValueError:  # its text may quote a piece of the password
        raise ValueError(
            f"is not a URL that can be read; write it like {example} (a / @ : or comma in the password as %..)"
        ) from None
    return parts


def _read_spool(text: str) -> str:
    ways = (OFF, ALONE, ALWAYS)
    if text.lower() not in ways:
        raise ValueError(f"is no way to spool: {text!r}; choose one of {', '.join(ways)}")
    return text.lower()


def _read_level(text: str) -> str:
    levels = ("debug", "info", "warning", "error")
    if text.lower() not in levels:
        raise ValueError(f"is no level: {text!r}; choose one of {', '.join(levels)}")
    return text.lower()


def _read_region(text: str) -> str:
    from phonenumbers import SUPPORTED_REGIONS

    if text.upper() not in SUPPORTED_REGIONS:
        raise ValueError(f"is no region: {text!r}; write the two letters of ISO 3166, such as CN, HK or DE")
    return text.upper()


def _read_timezone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"is no time zone: {text!r}; write an IANA name such as Asia/Shanghai or UTC") from None


# --- showing ---------------------------------------------------------------------------------------------------------
def mask_url(text: str) -> str:
    """The database URL without its password; a text that is no such URL is masked whole, for it may be one misspelt."""
    if not re.match("postgres(ql)?://", text):
        return MASK if text else ""
    masked = re.sub(r"(?<=://)([^:@/?#]*):.*@", rf"\1:{MASK}@", text)
    return re.sub(r"([?&](?:ssl)?password=)[^&]*", rf"\1{MASK}", masked)


def _mask_switch(text: str) -> str:
    return re.sub("^esl://:.*@", f"esl://:{MASK}@", text) if re.match("esl://:[^@]*@", text) else MASK


def _mask_switches(text: str) -> str:
    return ", ".join(_mask_switch(item.strip()) for item in text.split(",") if item.strip())


VARIABLES: Final[tuple[Variable, ...]] = (
    Variable(
        "RINGLEDGER_HOME",
        "home",
        "where everything of ours lives: database, keys, tape, recordings",
        _Defaults.data_home,
        _read_path,
    ),
    Variable(
        "RINGLEDGER_DATABASE_URL",
        "database_url",
        "a PostgreSQL (15 or newer) of yours, as its database's owner; empty: our own, under RINGLEDGER_HOME",
        _always(""),
        _read_database_url,
        mask_url,
    ),
    Variable(
        "RINGLEDGER_SWITCHES",
        "switches",
        "esl://:password@host:port/?name=…&peer=ADDRESS:PORT, several with commas; empty: the bundled simulated switch",
        _always(""),
        _read_switches,
        _mask_switches,
    ),
    Variable(
        "RINGLEDGER_FREESWITCH",
        "freeswitch",
        "path of a freeswitch binary for the tests on a real switch; empty: they look on PATH",
        _always(""),
        _read_program,
    ),
    Variable(
        "RINGLEDGER_DEMO",
        "demo",
        "1: demo callers and robot agents on the simulated switch; 0: none",
        _always("1"),
        _read_flag,
    ),
    Variable(
        "RINGLEDGER_STANDBY",
        "standby",
        "1: `ringledger run` starts a second engine, which goes on at once where the first one ends; 0: it does not",
        _always("1"),
        _read_flag,
    ),
    Variable(
        "RINGLEDGER_SITE",
        "site",
        "name of this site; its configuration's versions stand on stream config-<site>",
        _always("main"),
        _read_name,
    ),
    Variable(
        "RINGLEDGER_KEK_FILE",
        "kek_file",
        "file of the key that encrypts the keys of personal data; keep a copy where the database is not",
        lambda given: str(Path(given.home) / "keys" / "kek"),
        _read_path,
    ),
    Variable(
        "RINGLEDGER_TAPE_MAX_MB",
        "tape_max_mb",
        "megabytes of recorded input kept before the oldest is dropped",
        _always("512"),
        _read_megabytes,
    ),
    Variable(
        "RINGLEDGER_SPOOL",
        "spool",
        "whether calls are decided while the database is away: always; alone: while no engine of another machine "
        "stands by, which could not follow then; off: never",
        _always(ALONE),
        _read_spool,
    ),
    Variable(
        "RINGLEDGER_SPOOL_MAX_MB",
        "spool_max_mb",
        "megabytes of events kept while the database is away; past it new callers are the switch's, with a quarter "
        "more for those inside",
        _always("2048"),
        _read_megabytes,
    ),
    Variable(
        "RINGLEDGER_AWAY_DESK_MIN",
        "away_desk_min",
        "minutes that agents work at their desks, and sign in, by what was known of them as the database went away; 0: "
        "nobody signs in then, and desks end with the other rights",
        _always("60"),
        _read_minutes,
    ),
    Variable(
        "RINGLEDGER_AWAY_RIGHTS_MIN",
        "away_rights_min",
        "minutes that whoever was signed in as the database went away keeps rights beyond an agent's desk",
        _always("5"),
        _read_minutes,
    ),
    Variable(
        "RINGLEDGER_RECORDINGS",
        "recordings",
        "folder in which the switch writes recordings, as the switch sees it",
        lambda given: str(Path(given.home) / "recordings"),
        _read_path,
    ),
    Variable(
        "RINGLEDGER_KEPT",
        "kept",
        "folder in which recordings are kept encrypted",
        lambda given: str(Path(given.home) / "kept"),
        _read_path,
    ),
    Variable(
        "RINGLEDGER_ARCHIVE",
        "archive",
        "folder:folder, …: other media onto which old recordings are moved, the first that is there; empty: none",
        _always(""),
        _read_paths,
    ),
    Variable(
        "RINGLEDGER_FETCH",
        "fetch",
        "host:port at which `ringledger recordings serve` hands sealed recordings to players of other machines",
        _always("127.0.0.1:9465"),
        _read_door,
    ),
    Variable(
        "RINGLEDGER_FETCH_FROM",
        "fetch_from",
        "switch=host:port, …: where the recordings of other machines' switches are fetched; others' are here",
        _always(""),
        _read_doors,
    ),
    Variable(
        "RINGLEDGER_METRICS",
        "metrics",
        "host:port where Prometheus finds the figures; empty: nowhere",
        _always("127.0.0.1:9464"),
        _read_address,
        empty_counts=True,
    ),
    Variable(
        "RINGLEDGER_WEB",
        "web",
        "host:port where people's browsers and programs find the screens and the API; empty: nowhere",
        _always("127.0.0.1:8000"),
        _read_address,
        empty_counts=True,
    ),
    Variable(
        "RINGLEDGER_WEB_ORIGIN",
        "web_origin",
        "what browsers call it where a proxy with TLS stands before it, https://…; empty: http and RINGLEDGER_WEB",
        _always(""),
        _read_origin,
    ),
    Variable(
        "RINGLEDGER_WEB_CONNECT",
        "web_connect",
        "what else pages of ours may talk to, such as wss://switch.example.com:7443 for calls; empty: none",
        _always(""),
        _read_connect,
    ),
    Variable(
        "RINGLEDGER_LOG_LEVEL",
        "log_level",
        "least grave level that is logged: debug, info, warning, error",
        _always("info"),
        _read_level,
    ),
    Variable(
        "RINGLEDGER_REGION",
        "region",
        "country whose numbers are written without a country code (ISO 3166)",
        _always("CN"),
        _read_region,
    ),
    Variable(
        "RINGLEDGER_TIMEZONE",
        "timezone",
        "time zone of the site's days and opening hours (IANA name)",
        _always("Asia/Shanghai"),
        _read_timezone,
    ),
)


def load(environ: Mapping[str, str] | None = None, *, uid: int | None = None) -> Settings:
    """The settings of this environment (by default the process's own) and user.

    Raises SettingsError that names every variable that cannot be used, also one that is merely misspelt: a mistyped
    RINGLEDGER_DATABASE_URL must not start an empty database of its own.
    """
    texts, problems = _texts(os.environ if environ is None else environ, os.geteuid() if uid is None else uid)
    values: dict[str, object] = {}
    for variable in VARIABLES:
        if variable.field in {"kek_file", "recordings", "kept"} and "home" not in values:
            continue  # its default stands on a home that was just complained of
        try:
            values[variable.field] = variable.read(texts[variable.name])
        except ValueError as error:
            problems.append(f"{variable.name} {error}.")
    if problems:
        raise SettingsError("\n".join(problems))
    assert values.keys() == {each.name for each in fields(Settings)}  # noqa: S101 - the table and the class are one
    return Settings(**values)  # type: ignore[arg-type]  # each reader returns its field's type; test_settings proves it


def environment_with(**given: str) -> dict[str, str]:
    """This process's environment with some variables set otherwise, for a process that it starts."""
    return {**os.environ, **given}


def table(environ: Mapping[str, str] | None = None, *, uid: int | None = None) -> tuple[Row, ...]:
    """A row for each variable, readable even where `load` would refuse; secrets are masked."""
    environ = os.environ if environ is None else environ
    uid = os.geteuid() if uid is None else uid
    texts, _ = _texts(environ, uid)
    defaults = _Defaults({**environ, "RINGLEDGER_HOME": ""}, uid, texts["RINGLEDGER_HOME"])
    return tuple(
        Row(
            variable.name,
            variable.show(texts[variable.name]),
            variable.default(defaults),
            variable.meaning,
            _is_set(variable, environ),
        )
        for variable in VARIABLES
    )


def _is_set(variable: Variable, environ: Mapping[str, str]) -> bool:
    given = environ.get(variable.name)
    return given is not None and (bool(given.strip()) or variable.empty_counts)


def _texts(environ: Mapping[str, str], uid: int) -> tuple[dict[str, str], list[str]]:
    """The text of each variable, given or default, and a complaint for each name that is none of ours."""
    texts: dict[str, str] = {}
    for variable in VARIABLES:
        if _is_set(variable, environ):
            texts[variable.name] = environ[variable.name].strip()
        else:
            texts[variable.name] = variable.default(_Defaults(environ, uid, texts.get("RINGLEDGER_HOME", "")))
    known = [variable.name for variable in VARIABLES]
    problems = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            advice = f"did you mean {near[0]}?" if near else "`ringledger settings` lists them all."
            problems.append(f"{name} is not a setting of ours; unset it, or {advice}")
    return texts, problems
