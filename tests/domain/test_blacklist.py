"""The blacklist: listed, changed, over, lifted; and what an agent marks holds before anybody has listed it."""

import pytest

from orchestrator.domain.customers import blacklist as b
from orchestrator.domain.kernel import SECOND, Event, Instant, Refused

NOW = Instant(1_000 * SECOND)
LATER = Instant(2_000 * SECOND)
NUMBER = "+8613800138000"


def folded(*events: Event) -> b.Blacklisting | None:
    entry = None
    for event in events:
        entry = b.evolve(entry, event, "e")
    return entry


LISTED = b.NumberBlacklisted(number=NUMBER, reason="nuisance")


def test_a_number_is_listed_once_changed_and_lifted() -> None:
    """Feature 5.5."""
    add = b.Add(number=NUMBER, reason=" Nuisance ", now=NOW, until=LATER, note=" rude\n")
    assert b.decide(None, add) == (b.NumberBlacklisted(number=NUMBER, reason="nuisance", until=LATER, note="rude"),)
    assert b.decide(folded(LISTED), add) == ()
    change = b.Change(now=NOW, reason="fraud")
    changed = b.BlacklistingChanged(reason="fraud")
    assert b.decide(folded(LISTED), change) == (changed,)
    assert b.decide(folded(LISTED, changed), change) == ()
    assert b.decide(folded(LISTED), b.Lift()) == (b.BlacklistingLifted(),)
    assert b.decide(folded(LISTED, b.BlacklistingLifted()), b.Lift()) == ()


@pytest.mark.parametrize(
    ("entry", "command", "code"),
    (
        (None, b.Add(number="anonymous", reason="nuisance", now=NOW), "no_number"),
        (None, b.Add(number="", reason="nuisance", now=NOW), "no_number"),
        (None, b.Add(number=NUMBER, reason="two words", now=NOW), "bad_reason"),
        (None, b.Add(number=NUMBER, reason="x", now=LATER, until=NOW), "bad_time"),
        (None, b.Add(number=NUMBER, reason="x", now=NOW, note="a\u202eb"), "bad_text"),
        (None, b.Change(now=NOW, reason="x"), "no_such_blacklisting"),
        (None, b.Lift(), "no_such_blacklisting"),
        (LISTED, b.Change(now=LATER, until=NOW), "bad_time"),
    ),
)
def test_what_cannot_be_is_refused_with_its_reason(entry: Event | None, command: b.Command, code: str) -> None:
    """Bad input."""
    with pytest.raises(Refused) as refused:
        b.decide(folded(entry) if entry is not None else None, command)
    assert refused.value.code == code
    assert refused.value.message


def test_an_entry_expires_by_itself_and_may_be_let_expire() -> None:
    """Feature 5.5."""
    entry = folded(b.NumberBlacklisted(number=NUMBER, reason="x", until=LATER))
    assert entry is not None
    assert entry.holds(NOW)
    assert not entry.holds(LATER)
    assert b.decide(folded(LISTED), b.Change(now=NOW, until=NOW)) == (
        b.BlacklistingChanged(reason="nuisance", until=NOW),
    )


def test_a_withheld_number_never_matches() -> None:
    """Feature 5.5: also where an entry's number can no longer be read."""
    found = b.Blacklist()
    found.follow("a", b.NumberBlacklisted(number="", reason="x"))
    found.mark("c", "", "agent:li")
    assert not found.holds("", NOW)
    assert not found.marked


def test_two_entries_of_one_number_hold_until_both_are_gone() -> None:
    """Two people may list the same number in the same moment."""
    found = b.Blacklist()
    found.follow("a", LISTED)
    found.follow("b", LISTED)
    found.follow("a", b.BlacklistingLifted())
    assert found.holds(NUMBER, NOW)
    found.follow("b", b.BlacklistingChanged(reason="x", until=NOW))
    assert not found.holds(NUMBER, NOW)


def test_a_mark_holds_at_once_and_is_what_the_service_lists_and_people_lift() -> None:
    """Feature 5.5: by the agent during the call, for the next call."""
    found = b.Blacklist()
    found.mark("contact-1", NUMBER, "agent:li")
    assert found.holds(NUMBER, NOW)
    assert found.marked == {"contact-1": "agent:li"}
    found.follow("contact-1", LISTED)
    assert not found.marked
    assert found.holds(NUMBER, NOW)
    found.follow("contact-1", b.BlacklistingLifted())
    assert not found.holds(NUMBER, NOW)
