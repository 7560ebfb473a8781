"""Which entry point takes a call: one table of precedence, whatever the order in which they were configured."""

from itertools import permutations

import pytest

from orchestrator.domain.kernel import Instant
from orchestrator.domain.routing.calendars import CalendarConfigured, Calendars, Offset
from orchestrator.domain.routing.entries import Call, Entries, EntryPoint, EntryPointConfigured, evolve

NOON = Instant(12 * 3_600 * 1_000_000)  # a Thursday, 1970-01-01


def entries(**configured: EntryPointConfigured) -> Entries:
    found = Entries()
    for entry_id, settings in configured.items():
        found.configure(None, EntryPoint(entry_id=entry_id, settings=settings))
    return found


def entry(
    *numbers: str, trunks: tuple[str, ...] = (), callers: tuple[str, ...] = (), during: str = ""
) -> EntryPointConfigured:
    return EntryPointConfigured(name="e", numbers=numbers, queue_id="q", trunks=trunks, callers=callers, during=during)


CONFIGURED = {
    "exact": entry("4001"),
    "vip": entry("4001", callers=("+861",)),
    "vips": entry("4001", callers=("+86138",)),
    "line": entry("4001", trunks=("a",)),
    "day": entry("4001", during="open"),
    "night": entry("4002", during="shut"),
    "long": entry("400*"),
    "short": entry("4*"),
    "rest": entry("*"),
}


@pytest.mark.parametrize(
    ("dialled", "caller", "trunk", "taken", "unknown"),
    (
        ("4001", "", "", "day", False),
        ("4001", "", "a", "line", False),
        ("4001", "+8615", "", "vip", False),
        ("4001", "+861380", "a", "vips", False),
        ("4002", "", "", "long", False),
        ("4101", "", "", "short", False),
        ("5", "", "", "rest", True),
        ("", "", "", "rest", True),
    ),
)
def test_the_more_it_says_of_a_call_the_sooner_it_takes_it(
    dialled: str,
    caller: str,
    trunk: str,
    taken: str,
    unknown: bool,  # noqa: FBT001
) -> None:
    """Feature 1.1: exact number, longest beginning, `*`; then the caller, the trunk, the hours."""
    found = entries(**CONFIGURED).find(Call(dialled, caller, trunk, NOON), calendars())
    assert found.entry is not None
    assert (found.entry.entry_id, found.unknown) == (taken, unknown)


def test_of_two_that_say_as_much_the_id_that_comes_first_wins_in_whatever_order_they_came() -> None:
    """Bad input: two entry points that contradict."""
    for order in permutations(("b", "a", "c")):
        found = entries(**{name: entry("4001", trunks=("x", name)) for name in order})
        taken = found.find(Call("4001", "", "x", NOON), calendars()).entry
        assert taken is not None
        assert taken.entry_id == "a"


def test_where_every_entry_point_of_a_number_is_for_other_hours_it_is_closed_and_no_alarm() -> None:
    """Feature 2.6: nobody forgot this number."""
    found = entries(night=CONFIGURED["night"]).find(Call("4002", "", "", NOON), calendars())
    assert (found.entry, found.closed, found.unknown) == (None, True, False)


def test_a_star_for_one_trunk_is_meant_and_no_alarm() -> None:
    """Feature 3.11: an alarm is for what nobody thought of."""
    found = entries(rest=entry("*", trunks=("a",))).find(Call("777", "", "a", NOON), calendars())
    assert found.entry is not None
    assert not found.unknown


def test_a_removed_entry_point_takes_nothing() -> None:
    found = entries(one=entry("4001"), rest=entry("*"))
    before = EntryPoint(entry_id="one", settings=entry("4001"))
    found.configure(before, None)
    taken = found.find(Call("4001", "", "", NOON), calendars())
    assert taken.entry is not None
    assert (taken.entry.entry_id, taken.unknown) == ("rest", True)


def test_an_entry_point_folds_from_its_last_event() -> None:
    assert evolve(None, entry("1"), "e") == EntryPoint(entry_id="e", settings=entry("1"))


def calendars() -> Calendars:
    """`open` at noon, and `shut` then."""
    found = Calendars()
    for name, week in (("open", ((0, 1_440),)), ("shut", ((0, 60),))):
        found.configure(
            name, CalendarConfigured(name=name, zone="UTC", week=(week,) * 7, offsets=(Offset(Instant(0), 0),))
        )
    return found
