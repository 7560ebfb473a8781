"""Each state of a call, who hangs up first, and what becomes of the caller: one table for every level of test.

Words: `ended` (the call is over), `waits` (in the queue, with
music, or offered anew), `agent` (talks with the agent again), `colleague`
(talks with whoever was asked), `offered` (the phone of whoever was asked rings on, and the caller is offered to them),
`room` (all who stay go on hearing each other in their room, with the agent).
A cause of the network changes none of it: a leg that is gone is gone. Where the whole switch is, everything has ended.

`tests/runner/test_matrix.py` plays all of it, with each cause; `tests/acceptance/test_matrix.py` what ordinary phones
can do, on the simulated and on a real switch; `tests/simulation/rows.py` each row at moments that a seed draws, among
faults of every kind.
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
passed_on      ended         -             waits         -
"""

CAUSES: Final = (
    "NORMAL_CLEARING", "NORMAL_TEMPORARY_FAILURE", "RECOVERY_ON_TIMER_EXPIRE", "MEDIA_TIMEOUT", "UNKNOWN",
)  # fmt: skip


class Row(NamedTuple):
    """One field of the table."""

    state: str
    who: str
    becomes: str


def _rows() -> tuple[Row, ...]:
    heading, *lines = _TABLE.strip().splitlines()
    who = heading.split()[1:]
    fields = [(line.split()[0], line.split()[1:]) for line in lines]
    return tuple(
        Row(state, name, becomes)
        for state, row in fields
        for name, becomes in zip(who, row, strict=True)
        if becomes != "-"
    )


ROWS: Final = _rows()
"""Every field that can be."""
EVERYDAY: Final = ("talking", "held", "consulting", "to_and_fro", "together", "conference")
"""The states that phones which answer by themselves reach."""
EVERYDAY_ROWS: Final = tuple(row for row in ROWS if row.state in EVERYDAY)
