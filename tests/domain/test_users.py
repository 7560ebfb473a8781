"""A user: created, given roles and a password, kept out, let in again (feature 12.6)."""

import pytest

from orchestrator.domain.access.users import (
    ROLES,
    ChangeLanguage,
    ChangePassword,
    Command,
    Create,
    Disable,
    Enable,
    Grant,
    LanguageChanged,
    PasswordChanged,
    RolesGranted,
    SignInFailed,
    User,
    UserCreated,
    UserDisabled,
    UserEnabled,
    decide,
    evolve,
)
from orchestrator.domain.kernel import Event, Refused

CREATED = UserCreated(name="Li Na")
AGENT = UserCreated(name="Li Na", agent_id="li-na")
OPS = RolesGranted(roles=("ops",))


def given(*events: Event) -> User | None:
    user: User | None = None
    for event in events:
        user = evolve(user, event, "li-na")
    return user


@pytest.mark.parametrize(
    ("past", "command", "events"),
    (
        ((), Create(name=" Li Na "), (CREATED,)),
        ((CREATED,), Create(name="Li Na"), ()),
        ((CREATED,), Grant(roles=("ops",)), (OPS,)),
        ((CREATED, OPS), Grant(roles=("ops", "ops")), ()),
        ((CREATED, OPS), Grant(roles=("auditor", "ops")), (RolesGranted(roles=("ops", "auditor")),)),
        ((CREATED, OPS), Grant(roles=("ops",), teams=("b", "a")), (RolesGranted(roles=("ops",), teams=("a", "b")),)),
        ((CREATED, OPS), Grant(roles=()), (RolesGranted(roles=()),)),
        ((AGENT,), Grant(roles=("agent",)), (RolesGranted(roles=("agent",)),)),
        ((CREATED,), ChangePassword(hash="h"), (PasswordChanged(hash="h"),)),
        ((CREATED,), Disable(reason="left"), (UserDisabled(reason="left"),)),
        ((CREATED, UserDisabled()), Disable(), ()),
        ((CREATED, UserDisabled()), Enable(), (UserEnabled(),)),
        ((CREATED,), Enable(), ()),
        ((CREATED,), ChangeLanguage(language="zh"), (LanguageChanged(language="zh"),)),
        ((CREATED, LanguageChanged(language="zh")), ChangeLanguage(language="zh"), ()),
    ),
)
def test_what_follows_from_a_wish(past: tuple[Event, ...], command: Command, events: tuple[Event, ...]) -> None:
    assert decide(given(*past), command) == events


@pytest.mark.parametrize(
    ("past", "command", "code"),
    (
        ((), Create(name="  "), "no_name"),
        ((CREATED,), Create(name="Somebody Else"), "user_exists"),
        ((), Grant(roles=("ops",)), "unknown_user"),
        ((CREATED,), Grant(roles=("king",)), "unknown_role"),
        ((CREATED,), Grant(roles=("agent",)), "no_agent"),
        ((CREATED,), ChangeLanguage(language="fr"), "unknown_language"),
    ),
)
def test_what_is_refused_and_with_which_code(past: tuple[Event, ...], command: Command, code: str) -> None:
    with pytest.raises(Refused) as refused:
        decide(given(*past), command)
    assert refused.value.code == code
    assert refused.value.message[-1] in ".?"


def test_what_changes_rights_is_counted_and_what_does_not_is_not() -> None:
    """A session that began under another count gets a new key."""
    before = given(CREATED, OPS)
    assert before is not None
    for event, more in (
        (RolesGranted(roles=("qa",)), 1),
        (UserDisabled(), 1),
        (UserEnabled(), 1),
        (PasswordChanged(hash="h"), 0),
        (SignInFailed(reason="wrong_password", address="127.0.0.1"), 0),
        (LanguageChanged(language="zh"), 0),
    ):
        after = evolve(before, event, "li-na")
        assert after is not None
        assert after.granted == before.granted + more
        assert after.version == before.version + 1


def test_there_are_the_eight_roles_of_the_trade() -> None:
    assert ROLES == ("agent", "leader", "back_office", "service_point", "qa", "ops", "auditor", "admin")
