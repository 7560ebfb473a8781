"""The demo's people: one for each role, made once, with sign-ins that only we can read."""

import stat
from pathlib import Path

import pytest

from orchestrator.domain.access.users import ROLES
from orchestrator.service import demo_users
from orchestrator.settings import Settings
from projections.reading import reading_of
from tests.postgres import Database, settings_for


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a home of this test's own."""
    made = settings_for(tmp_path / "home")
    made.home.mkdir()
    return made


def test_there_is_one_for_each_role_and_everybody_can_sign_in(settings: Settings, database: Database) -> None:
    sign_ins = demo_users.ensure(settings, database.writer)
    assert {each.role for each in sign_ins} == set(ROLES)
    with reading_of(settings, database.reader, database.writer) as reading:
        for each in sign_ins:
            user = reading.users.verified(each.user_id, each.password)
            assert user is not None
            assert user.roles == (each.role,)


def test_they_are_made_once_and_the_same_at_the_next_start(settings: Settings, database: Database) -> None:
    first = demo_users.ensure(settings, database.writer)
    assert demo_users.ensure(settings, database.writer) == first


def test_only_we_can_read_how_they_sign_in(settings: Settings, database: Database) -> None:
    demo_users.ensure(settings, database.writer)
    assert stat.S_IMODE(demo_users.sign_ins_file(settings).stat().st_mode) == 0o600


@pytest.mark.parametrize("text", (None, "", "{", '[{"user_id": 5}]'))
def test_a_file_that_is_gone_or_damaged_gives_nobody_a_new_password(
    settings: Settings, database: Database, text: str | None
) -> None:
    first = {each.user_id: each.password for each in demo_users.ensure(settings, database.writer)}
    file = demo_users.sign_ins_file(settings)
    file.unlink()
    if text is not None:
        file.write_text(text)
    assert demo_users.ensure(settings, database.writer) == []
    with reading_of(settings, database.reader, database.writer) as reading:
        assert reading.users.verified("auditor", first["auditor"]) is not None
