"""A FreeSWITCH that lives in memory and behaves like the real one at its event socket.

Standard library only. From the bottom up:

- `timeline`: what happens when, and threads as generators; `bus`: events, their numbers, their order, their faults
- `channel`: one leg's state; `core`: what can be done to it, and what is said of it; `causes`, `sip`: words
- `life`: a leg's thread; `executing`, `applications`: what it executes; `bridging`: two legs; `originating`: calls out;
  `recording`: files; `people`, `parties`: callers and phones
- `commands`, `leg_commands`, `switch_commands`, `show`: the api; `control`: `api simulator …`, what tests ask for
- `model`: all of it without sockets and without a clock, for simulations
- `wire`, `connection`: the event socket's protocol over bytes; `server`: on a TCP port; `script`: who calls whom

What it does was learned from captured streams and from a real switch in a laboratory; tests/simulator acts the
captures out again and compares.
"""

from freeswitch.simulator.model import Model
from freeswitch.simulator.options import Options
from freeswitch.simulator.people import Caller, Dialling, Phone

__all__ = ["Caller", "Dialling", "Model", "Options", "Phone"]
