"""`ringledger blacklist …`, `ringledger notice …`, `ringledger config holidays`, as they are typed at the machine."""

import getpass
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
import pytest
from click.testing import CliRunner, Result

from orchestrator import commandline_admission as commands
from orchestrator.domain.kernel import Refused
from orchestrator.domain.routing.notices import NoticeConfigured
from orchestrator.service import configuration
from orchestrator.service.blacklist import Blacklists
from tests.postgres import settings_for
from tests.service.test_site_admission import SITE
from tests.store.kit import Kit

NUMBER = "+8613800138000"
ME = f"admin:{getpass.getuser()}"
GROUPS: Final[dict[str, click.Command]] = {
    "blacklist": commands.blacklist,
    "notice": commands.notice,
    "holidays": commands.holidays,
}

Type = Callable[..., Result]


@pytest.fixture
def type_in(kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Type a command over this log."""

    @contextmanager
    def opened(_settings: object) -> Iterator[Any]:
        yield kit.log, kit.desk

    monkeypatch.setattr(configuration, "opened", opened)
    monkeypatch.setattr(commands, "load", lambda: settings_for(tmp_path / "home"))

    def type_words(group: str, *words: str) -> Result:
        return CliRunner().invoke(GROUPS[group], words)

    return type_words


def said(done: Result) -> str:
    """What a command that worked printed."""
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def refused(done: Result) -> str:
    """The code with which a command was refused; the command line's own door says the sentence."""
    assert isinstance(done.exception, Refused), (done.output, done.exception)
    return done.exception.code


def mistyped(done: Result) -> str:
    """What a command that was typed wrongly says: exit status 2."""
    assert done.exit_code == 2, done.output
    return done.output


@pytest.fixture
def listed(type_in: Type) -> str:
    """The id of an entry that was just added."""
    return said(type_in("blacklist", "add", "138 0013 8000", "--note", "at night")).split()[0]


@pytest.fixture
def kept(kit: Kit) -> Blacklists:
    return Blacklists(kit.desk, kit.log, region="CN")


# --- the blacklist ---------------------------------------------------------------------------------------------------
def test_a_number_is_added_and_listed_with_who_did_it(type_in: Type, listed: str) -> None:
    """Feature 5.5."""
    (row,) = [line for line in said(type_in("blacklist", "list")).splitlines() if listed in line]
    for told in (NUMBER, "nuisance", "holds", "for ever", ME, "at night"):
        assert told in row, told


def test_an_entry_is_changed_let_expire_and_lifted(type_in: Type, listed: str, kit: Kit, kept: Blacklists) -> None:
    assert said(type_in("blacklist", "change", listed, "--reason", "fraud", "--days", "2")) == f"{listed} is changed\n"
    ((entry, made),) = kept.every()
    assert (entry.reason, entry.note) == ("fraud", "at night")
    assert abs(entry.until - made.about.at - 2 * 86_400_000_000) < 60_000_000
    said(type_in("blacklist", "change", listed, "--days", "0"))
    assert kept.every()[0][0].until == 0
    assert "may call" in said(type_in("blacklist", "expire", listed))
    assert " over " in said(type_in("blacklist", "list"))
    assert "may call" in said(type_in("blacklist", "lift", listed))
    assert listed not in said(type_in("blacklist", "list"))
    assert {record.about.actor for record in kit.log.stream(f"blacklist-{listed}")} == {ME}


def test_an_end_may_be_given_at_once(type_in: Type, kept: Blacklists) -> None:
    said(type_in("blacklist", "add", NUMBER, "--days", "1"))
    assert kept.every()[0][0].until > 0


@pytest.mark.parametrize(
    ("words", "code"),
    (
        (("add", "nobody"), "no_number"),
        (("add", NUMBER), "already_blacklisted"),
        (("add", "13900139000", "--reason", "Because!"), "bad_reason"),
        (("add", "13900139000", "--note", "x" * 301), "bad_text"),
        (("change", "nothing", "--reason", "x"), "no_such_blacklisting"),
        (("expire", "nothing"), "no_such_blacklisting"),
        (("lift", "no id"), "no_such_blacklisting"),
    ),
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    type_in: Type, listed: str, kit: Kit, words: tuple[str, ...], code: str
) -> None:
    """Bad input."""
    before = kit.logged()
    assert refused(type_in("blacklist", *words)) == code
    assert kit.logged() == before


@pytest.mark.parametrize(
    ("words", "told"),
    (
        (("add",), "Missing argument 'NUMBER'"),
        (("add", NUMBER, "--days", "-1"), "0<=x<=36500"),
        (("add", NUMBER, "--days", "some"), "not a valid integer"),
        (("change",), "Missing argument 'ID'"),
        (("drop", "x"), "No such command 'drop'"),
    ),
)
def test_what_is_mistyped_says_how_it_is_typed(type_in: Type, words: tuple[str, ...], told: str) -> None:
    """Bad input."""
    assert told in mistyped(type_in("blacklist", *words))


# --- notices ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def site(kit: Kit, tmp_path: Path) -> str:
    """The name of a site that has a notice, `storm`."""
    name = settings_for(tmp_path / "home").site
    configuration.apply(kit.log, kit.desk, name, SITE, actor="admin:test", region="CN")
    return name


def storm(kit: Kit, site: str) -> NoticeConfigured:
    """The notice as it is now."""
    found = configuration.current(kit.log, site).events["notice-storm"]
    assert isinstance(found, NoticeConfigured)
    return found


def test_a_notice_is_switched_on_and_off_in_ones_own_name(type_in: Type, kit: Kit, site: str) -> None:
    """Feature 2.6."""
    for wish, on in (("on", True), ("off", False)):
        assert f"on = {str(on).lower()}" in said(type_in("notice", wish, "storm"))
        assert storm(kit, site).on is on
    assert [record.about.actor for record in kit.log.stream("notice-storm")] == ["admin:test", ME, ME]


def test_a_notice_that_is_on_is_not_switched_on_again(type_in: Type, kit: Kit, site: str) -> None:
    said(type_in("notice", "on", "storm"))
    assert "Nothing to change" in said(type_in("notice", "on", "storm"))
    assert len(list(kit.log.stream("notice-storm"))) == 2


def test_a_notice_that_there_is_not_is_refused_with_those_that_there_are(type_in: Type, site: str) -> None:
    """Bad input."""
    done = type_in("notice", "on", "strom")
    assert refused(done) == "no_such_notice"
    assert "storm" in str(done.exception)
    assert "Missing argument 'ID'" in mistyped(type_in("notice", "off"))


# --- holidays --------------------------------------------------------------------------------------------------------
def test_the_holidays_of_a_year_are_printed_with_the_working_days_that_they_move(type_in: Type) -> None:
    """Feature 2.5."""
    rows = said(type_in("holidays", "2024")).splitlines()
    assert any(re.match(r"2024-10-01 +Tue", row) for row in rows)
    assert any(re.match(r"2024-10-12 +Sat +a working day", row) for row in rows), "the week after the national days"
    assert [row for row in rows if row.startswith("2024")] == sorted(row for row in rows if row.startswith("2024"))


def test_the_holidays_of_a_part_of_a_country_are_its_own(type_in: Type) -> None:
    assert "2024-01-06" in said(type_in("holidays", "2024", "--of", "DE-BY"))
    assert "2024-01-06" not in said(type_in("holidays", "2024", "--of", "DE-BE"))


def test_a_year_whose_moved_days_are_not_known_says_so(type_in: Type) -> None:
    assert "is not published yet" in said(type_in("holidays", "2029"))
    assert "is not published yet" not in said(type_in("holidays", "2024"))


@pytest.mark.parametrize(
    ("words", "told"),
    (
        (("2024", "--of", "XX"), "No holidays are known for XX"),
        (("2024", "--of", "../etc"), "No holidays are known for ../etc"),
        (("20024",), "1970<=x<=2099"),
        (("soon",), "not a valid integer"),
        ((), "Missing argument 'YEAR'"),
    ),
)
def test_holidays_that_nobody_knows_are_told_as_a_mistake(type_in: Type, words: tuple[str, ...], told: str) -> None:
    """Bad input."""
    assert told in mistyped(type_in("holidays", *words))
