"""Contexts of the switch's dialplan (freeswitch/conf/dialplan.xml), by which a leg says what it is there for."""

from typing import Final

INBOUND: Final = "ringledger-inbound"
"""Callers, who are parked for us."""
AGENTS: Final = "ringledger-agents"
"""What phones of agents dial themselves."""
UNATTENDED: Final = "ringledger-unattended"
"""Callers whom the switch serves without us."""
