"""Each state of a call, who hangs up first, and what becomes of the caller: one table for every level of test.

Words: `ended` (the call is over), `waits` (in the queue, with music, or offered anew), `agent` (talks with the agent
again), `colleague` (talks with whoever was asked), `offered` (the phone of whoever was asked rings on, and the caller
is offered to them), `room` (all who stay go on hearing each other in their room, with the agent, or while the agent
speaks with one of them alone), `music` (hears it while the agent speaks with whoever is asked now), `number` (talks
with the number outside), `supervisor` (talks with the one who takes over), `promised` (is called again in turn).
A cause of the network changes none of it: a leg that is gone is gone. Where the whole switch is, everything has ended;
where it is another than the caller's, with phones alone, the caller has not.

`tests/runner/test_matrix.py` plays all of it, with each cause; `tests/acceptance/test_matrix.py` on the simulated and
on a real switch what a switch can be brought to (`PLAYED`), by whoever hangs up and by every cause of the network that
a switch can tell; `tests/simulation/rows.py` each row at moments that a seed draws, among faults of every kind.
"""

from typing import Final, NamedTuple

_TABLE: Final = """
state          caller        agent         colleague     guest
waiting        ended         -             -             -
ringing        ended         waits         -             -
talking        ended         ended         -             -
held           ended         ended         -             -
asking         ended         offered       agent         -
consulting     ended         colleague     agent         -
to_and_fro     ended         colleague     agent         -
joining        ended         colleague     agent         -
together       ended         colleague     agent         -
inviting       ended         colleague     agent         room
conference     ended         colleague     room          room
guest_held     ended         colleague     agent         room
aside          ended         colleague     music         room
coming_in      ended         colleague     room          room
aside_coming   ended         colleague     room          room
passed_on      ended         -             waits         -
"""

# Whoever else may be there: who fetches a caller from a place (`agent`), a supervisor, a number outside. From
# `calling_back` on the number is the customer's.
_BESIDE: Final = """
state          caller        agent         colleague     supervisor    number
parked         ended         -             -             -             -
retrieving     ended         waits         -             -             -
listened       ended         ended         -             agent         -
whispered      ended         ended         -             agent         -
barged         ended         ended         -             agent         -
taking_over    ended         supervisor    -             waits         -
taken_over     ended         -             -             ended         -
asking_out     ended         offered       -             -             agent
consulting_out ended         number        -             -             agent
turn_out       ended         number        -             -             agent
joining_out    ended         number        -             -             agent
together_out   ended         number        -             -             agent
inviting_out   ended         colleague     agent         -             room
guest_out      ended         colleague     room          -             room
passed_out     ended         -             -             -             waits
talking_out    ended         -             -             -             ended
calling_back   -             promised      -             -             promised
dialling       -             ended         -             -             -
calling        -             ended         -             -             ended
dialled        -             ended         -             -             ended
"""

# Of whom the phone is on a switch of its own, with which it is lost; `all`: everybody's but the caller's.
_LOST: Final = """
state          agent         colleague     guest         all
ringing        waits         -             -             waits
talking        waits         -             -             waits
held           waits         -             -             waits
asking         offered       agent         -             waits
consulting     colleague     agent         -             waits
to_and_fro     colleague     agent         -             waits
joining        colleague     agent         -             waits
together       colleague     agent         -             waits
inviting       colleague     agent         room          waits
conference     colleague     room          room          waits
guest_held     colleague     agent         room          waits
aside          colleague     music         room          waits
coming_in      colleague     room          room          waits
passed_on      -             waits         -             waits
"""
# Whom an agent dials is called from the switch that has the agent's phone, and is lost with it.
_LOST_BESIDE: Final = """
state          agent         colleague     supervisor    all
retrieving     waits         -             -             waits
listened       waits         -             agent         waits
whispered      waits         -             agent         waits
barged         waits         -             agent         waits
taking_over    supervisor    -             waits         waits
taken_over     -             -             waits         waits
asking_out     offered       -             -             -
consulting_out number        -             -             -
turn_out       number        -             -             -
joining_out    number        -             -             -
together_out   number        -             -             -
inviting_out   colleague     agent         -             waits
guest_out      colleague     room          -             number
"""

CAUSES: Final = (
    "NORMAL_CLEARING", "NORMAL_TEMPORARY_FAILURE", "RECOVERY_ON_TIMER_EXPIRE", "MEDIA_TIMEOUT", "UNKNOWN",
)  # fmt: skip


class Row(NamedTuple):
    """One field of the table."""

    state: str
    who: str
    becomes: str


def _rows(table: str) -> tuple[Row, ...]:
    heading, *lines = table.strip().splitlines()
    who = heading.split()[1:]
    fields = [(line.split()[0], line.split()[1:]) for line in lines]
    return tuple(
        Row(state, name, becomes)
        for state, row in fields
        for name, becomes in zip(who, row, strict=True)
        if becomes != "-"
    )


BESIDE: Final = _rows(_BESIDE)
ROWS: Final = _rows(_TABLE) + BESIDE
"""Every field that can be, and those of them in which somebody else is there."""
LOST: Final = _rows(_LOST) + _rows(_LOST_BESIDE)
"""The same of a switch that is lost with phones, and is not the caller's."""
NOT_BY_A_SWITCH: Final = {
    "joining": "two of three are in the room for some milliseconds, which no end can aim at: races by seed do",
    "joining_out": "the same, where a number outside was asked",
    "coming_in": "as long as that, a guest who was on hold or alone with the agent is on the way back into the room",
    "aside_coming": "the same, while the agent speaks with another one alone",
    "taking_over": "the caller and the supervisor are joined within milliseconds",
}
"""The states in which no switch can be held, and why."""
SELDOM: Final = {
    "guest_held": "a call comes there by six presses of its agent",
    "aside": "the same",
    "coming_in": "the same, and it lasts for milliseconds",
    "aside_coming": "the same",
    "taken_over": "few talks are monitored, and few of those taken over and then hung up in one of these runs",
    "inviting_out": "a call comes there by four presses, of which the last wants a number outside",
    "guest_out": "the same, and the number has to answer",
}
"""The states that random runs come to too seldom to wait for each of their rows: judged where they come up, and random
runs in which none does prove nothing of them. Each of their rows is played at both switches.
"""
NOT_FROM_A_SWITCH: Final = {"UNKNOWN": "what the ledger writes where it learns no cause: a switch always tells one"}
"""The causes that no leg can be ended with at a switch, and why."""
PLAYED: Final = tuple(row for row in ROWS if row.state not in NOT_BY_A_SWITCH)
OF_THE_NETWORK: Final = tuple(
    cause for cause in CAUSES if cause not in NOT_FROM_A_SWITCH and cause != "NORMAL_CLEARING"
)
