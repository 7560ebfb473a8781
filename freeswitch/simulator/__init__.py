"""A FreeSWITCH that lives in memory and behaves like the real one at its event socket.

`Model` is the switch itself, without sockets and without a clock of its own; `connection` speaks the event socket's
protocol over bytes; `server` puts both on a TCP port. Standard library only.
"""

from freeswitch.simulator.model import Model
from freeswitch.simulator.options import Options
from freeswitch.simulator.people import Caller, Phone

__all__ = ["Caller", "Model", "Options", "Phone"]
