"""Every variable: its default, what it accepts, and what is said of what it does not (issue 2: settings, bad input)."""

from pathlib import Path
from types import UnionType
from typing import get_origin

import pytest

from orchestrator import settings
from orchestrator.settings import VARIABLES, Address, Settings, SettingsError, Switch, load, table

USER = 1000
HOME = {"HOME": "/home/wang"}


def refusal(**variables: str) -> str:
    with pytest.raises(SettingsError) as refused:
        load({**HOME, **variables}, uid=USER)
    return str(refused.value)


# --- defaults --------------------------------------------------------------------------------------------------------
def test_nothing_set_gives_a_user_a_ledger_of_his_own_with_a_simulated_switch_and_a_demo() -> None:
    given = load(HOME, uid=USER)
    assert given.home == Path("/home/wang/.local/share/ringledger")
    assert given.kek_file == given.keys / "kek"
    assert (given.database_url, given.switches, given.freeswitch, given.demo) == ("", (), None, True)
    assert (given.site, given.region, given.timezone.key, given.log_level) == ("main", "CN", "Asia/Shanghai", "info")
    assert given.metrics == Address("127.0.0.1", 9464)


def test_root_keeps_its_ledger_where_the_servers_user_can_come() -> None:
    assert load({"HOME": "/root"}, uid=0).home == Path("/var/lib/ringledger")


def test_the_users_own_choice_of_a_data_directory_is_followed() -> None:
    assert load({**HOME, "XDG_DATA_HOME": "/data/wang"}, uid=USER).home == Path("/data/wang/ringledger")


def test_a_home_moves_what_lives_in_it() -> None:
    given = load({"RINGLEDGER_HOME": "/srv/ledger"}, uid=USER)
    assert (given.home, given.kek_file) == (Path("/srv/ledger"), Path("/srv/ledger/keys/kek"))


def test_an_empty_variable_is_one_not_set_except_where_empty_means_off() -> None:
    given = load({**HOME, **{each.name: "" for each in VARIABLES}}, uid=USER)
    without = load(HOME, uid=USER)
    assert given.metrics is None
    assert {name: getattr(given, name) for name in ("home", "demo", "site", "region", "tape_max_mb")} == {
        name: getattr(without, name) for name in ("home", "demo", "site", "region", "tape_max_mb")
    }


def test_every_field_is_of_the_type_that_it_is_declared_with() -> None:
    given = load({**HOME, "RINGLEDGER_SWITCHES": "esl://:pw@h", "RINGLEDGER_FREESWITCH": "/bin/sh"}, uid=USER)
    wanted = dict(Settings.__annotations__)
    for field, annotation in wanted.items():
        origin = get_origin(annotation)
        plain = annotation if origin in (None, UnionType) else origin
        assert isinstance(getattr(given, field), plain), field
    assert {each.field for each in VARIABLES} == set(wanted)


# --- switches --------------------------------------------------------------------------------------------------------
def test_switches_are_read_with_their_passwords_decoded_and_named_after_their_place() -> None:
    south = "esl://:Clue%2CCon%40@127.0.0.1:8021/?peer=127.0.0.1:5070"
    north = "esl://:x@fs2.example.org/?name=north&peer=[::1]:5070"
    given = load({**HOME, "RINGLEDGER_SWITCHES": f"{south}, {north}"}, uid=USER)
    assert given.switches == (
        Switch("127-0-0-1-8021", "127.0.0.1", 8021, "Clue,Con@", Address("127.0.0.1", 5070)),
        Switch("north", "fs2.example.org", 8021, "x", Address("::1", 5070)),
    )


def test_a_switch_on_ipv6_is_understood() -> None:
    (switch,) = load({**HOME, "RINGLEDGER_SWITCHES": "esl://:x@[::1]:8022"}, uid=USER).switches
    assert (switch.name, switch.host, switch.port) == ("1-8022", "::1", 8022)


@pytest.mark.parametrize(
    ("text", "said"),
    (
        ("127.0.0.1:8021", "no switch"),
        ("http://:s3cret@h", "no switch"),
        ("esl://h:8021", "no password"),
        ("esl://s3cret@h:8021", "user name before the password"),
        ("esl://:s3cret@", "no host"),
        ("esl://:s3cret@h:123456", "can be read"),
        ("esl://:s3/cret@h", "can be read"),
        ("esl://:s3cret@h/?nmae=x", "nmae"),
        ("esl://:s3cret@h/?name=Nord Süd", "cannot be a name"),
        ("esl://:s3cret@h/?name=../../etc", "cannot be a name"),
        ("esl://:s3cret%0Aauth@h", "control character"),
        ("esl://:s3cret@h,esl://:s3cret@h", "two switches"),
        ("esl://:s3cret@h/?name=a&peer=h:5070,esl://:s3cret@h/?name=b&peer=127.0.0.1:5070", "no IP address and port"),
        ("esl://:s3cret@h/?name=a&peer=127.0.0.1:99999", "no usable port"),
        ("esl://:s3cret@h/?name=a&peer=127.0.0.1:5070,esl://:s3cret@h/?name=b", "no way to the phones of b"),
        ("esl://:s3,cret@h", "can be read"),
    ),
)
def test_a_switch_that_cannot_be_used_is_refused_without_showing_its_password(text: str, said: str) -> None:
    message = refusal(RINGLEDGER_SWITCHES=text)
    assert message.startswith("RINGLEDGER_SWITCHES ")
    assert said in message
    for piece in ("s3", "cret"):
        assert piece not in message


# --- the others ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("variable", "text", "said"),
    (
        ("HOME", "relative/home", "write the whole path"),
        ("HOME", "/a\nb", "write an absolute path"),
        ("DATABASE_URL", "mysql://a:s3cret@h/d", "only postgresql://"),
        ("DATABASE_URL", "postgresql://a:s3cret@h", "names no database"),
        ("DATABASE_URL", "postgresql://a:s3cret@h:port/d", "write it like postgresql://"),
        ("FREESWITCH", "/nonexistent/freeswitch", "give the path of the freeswitch binary"),
        ("DEMO", "maybe", "write 1 for on, 0 for off"),
        ("SITE", "Main Site", "a-z, 0-9"),
        ("SITE", "x" * 41, "at most 40"),
        ("KEK_FILE", "kek", "write the whole path"),
        ("TAPE_MAX_MB", "0", "from 1 up"),
        ("TAPE_MAX_MB", "1e3", "whole number"),
        ("METRICS", "9464", "write host:port"),
        ("METRICS", "127.0.0.1:99999", "from 1 to 65535"),
        ("LOG_LEVEL", "loud", "debug, info, warning, error"),
        ("REGION", "China", "ISO 3166"),
        ("REGION", "XX", "ISO 3166"),
        ("TIMEZONE", "Shanghai", "IANA name"),
        ("TIMEZONE", "../../etc/passwd", "IANA name"),
    ),
)
def test_what_cannot_be_used_is_named_with_what_to_write_instead(variable: str, text: str, said: str) -> None:
    message = refusal(**{f"RINGLEDGER_{variable}": text})
    assert message.startswith(f"RINGLEDGER_{variable} ")
    assert said in message
    assert "s3cret" not in message


def test_a_misspelt_variable_is_refused_with_the_right_name() -> None:
    assert refusal(RINGLEDGER_DATABSE_URL="postgresql://h/d") == (
        "RINGLEDGER_DATABSE_URL is not a setting of ours; unset it, or did you mean RINGLEDGER_DATABASE_URL?"
    )


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(refusal(RINGLEDGER_DEMO="?", RINGLEDGER_REGION="?", RINGLEDGER_HOME="x").splitlines()) == 3


@pytest.mark.parametrize(("text", "wanted"), (("1", True), ("yes", True), ("0", False), ("off", False)))
def test_flags_are_read_as_people_write_them(text: str, wanted: bool) -> None:  # noqa: FBT001 - a table's column
    assert load({**HOME, "RINGLEDGER_DEMO": text}, uid=USER).demo is wanted


# --- what is shown ---------------------------------------------------------------------------------------------------
SECRET = {
    "RINGLEDGER_SWITCHES": "esl://:s3cret@h:8021,esl://:s3,cret@h",
    "RINGLEDGER_DATABASE_URL": "postgresql://boss:s3cret@h/d?sslmode=require&password=s3cret",
}


def test_the_table_lists_every_variable_with_value_default_and_meaning_and_no_password() -> None:
    rows = {row.name: row for row in table({**HOME, **SECRET, "RINGLEDGER_SITE": "south"}, uid=USER)}
    assert set(rows) == {each.name for each in VARIABLES}
    assert (rows["RINGLEDGER_SITE"].value, rows["RINGLEDGER_SITE"].default, rows["RINGLEDGER_SITE"].is_set) == (
        "south",
        "main",
        True,
    )
    assert rows["RINGLEDGER_DATABASE_URL"].value == "postgresql://boss:***@h/d?sslmode=require&password=***"
    assert rows["RINGLEDGER_SWITCHES"].value.startswith("esl://:***@h:8021, ")
    assert all(row.meaning for row in rows.values())
    shown = " ".join(map(str, rows.values()))
    assert "s3" not in shown
    assert "cret" not in shown


def test_the_table_can_be_read_where_the_settings_are_refused() -> None:
    rows = {row.name: row.value for row in table({**HOME, "RINGLEDGER_DEMO": "maybe"}, uid=USER)}
    assert rows["RINGLEDGER_DEMO"] == "maybe"


def test_what_is_printed_of_settings_holds_no_password() -> None:
    given = load(
        {**HOME, "RINGLEDGER_SWITCHES": "esl://:s3cret@h", "RINGLEDGER_DATABASE_URL": "postgresql://a:s3cret@h/d"},
        uid=USER,
    )
    assert given.switches[0].password == "s3cret"
    assert "s3cret" not in repr(given)


def test_only_settings_reads_the_environment() -> None:
    root = Path(settings.__file__).parent
    readers = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if "os.environ" in path.read_text(encoding="utf-8") or "getenv(" in path.read_text(encoding="utf-8")
    ]
    assert readers == ["settings.py"]


# --- the web ---------------------------------------------------------------------------------------------------------
def test_the_web_listens_on_this_machine_alone_unless_told_otherwise_and_can_be_off() -> None:
    assert load(HOME, uid=USER).web == Address("127.0.0.1", 8000)
    assert load({**HOME, "RINGLEDGER_WEB": "[::1]:81"}, uid=USER).web == Address("::1", 81)
    assert load({**HOME, "RINGLEDGER_WEB": ""}, uid=USER).web is None
    assert load(HOME, uid=USER).web_origin == ""
    given = load({**HOME, "RINGLEDGER_WEB_ORIGIN": "https://desk.example.com/"}, uid=USER)
    assert given.web_origin == "https://desk.example.com"


@pytest.mark.parametrize(
    "origin", ("desk.example.com", "ftp://desk", "https://", "https://desk/path", "https://desk?x=1")
)
def test_what_is_no_origin_is_refused_with_an_example(origin: str) -> None:
    assert "https://desk.example.com" in refusal(RINGLEDGER_WEB_ORIGIN=origin)


def test_pages_talk_to_ourselves_alone_unless_told_otherwise() -> None:
    assert load(HOME, uid=USER).web_connect == ()
    given = {
        **HOME,
        "RINGLEDGER_WEB_CONNECT": "wss://Switch.example.com:7443, https://maps.example.com/,wss://[fd00::1]:81",
    }
    assert load(given, uid=USER).web_connect == (
        "wss://switch.example.com:7443",
        "https://maps.example.com",
        "wss://[fd00::1]:81",
    )
    (row,) = [row for row in table(given, uid=USER) if row.name == "RINGLEDGER_WEB_CONNECT"]
    assert row.is_set
    assert "wss://Switch.example.com:7443" in row.value


@pytest.mark.parametrize(
    "origin",
    (
        "switch.example.com",
        "wss://",
        "wss://*",
        "wss://*.example.com",
        "wss://switch/path",
        "wss://switch;script-src",
        "wss://switch?x",
        "wss://user@switch",
        "wss://switch:99999",
        "wss://switch:0",
        "javascript:alert(1)",
        "data:",
        "'unsafe-inline'",
        "https://ok.example.com, *",
    ),
)
def test_a_policy_is_opened_for_origins_and_for_nothing_else(origin: str) -> None:
    """Screens and safety, V3: what would end the directive or name everybody is refused with an example."""
    assert "wss://switch.example.com:7443" in refusal(RINGLEDGER_WEB_CONNECT=origin)


def test_the_mark_tells_homes_apart_and_does_not_tell_where_they_are() -> None:
    one, two = (load({"RINGLEDGER_HOME": home}, uid=USER).mark for home in ("/srv/one", "/srv/two"))
    assert one != two
    assert len(one) == 12
    assert "srv" not in one
