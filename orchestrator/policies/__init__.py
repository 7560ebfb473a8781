"""Whenever something happened, what follows: pure functions from records to commands and instructions.

`POLICIES` is the whole table, in the order in which they are asked about each record.
"""

from orchestrator.policies.admit import admit
from orchestrator.policies.base import Policy
from orchestrator.policies.call_out import call_out
from orchestrator.policies.consult import consult
from orchestrator.policies.dismiss import dismiss
from orchestrator.policies.distribute import distribute
from orchestrator.policies.guests import invite
from orchestrator.policies.monitor import monitor
from orchestrator.policies.overflow import overflow
from orchestrator.policies.pass_on import pass_on
from orchestrator.policies.record import record
from orchestrator.policies.rehome import rehome
from orchestrator.policies.reserve import reserve
from orchestrator.policies.ring_out import ring_out
from orchestrator.policies.speak import speak
from orchestrator.policies.talk import talk
from orchestrator.policies.widen import widen
from orchestrator.policies.wrap_up import wrap_up

POLICIES: tuple[Policy, ...] = (
    admit, reserve, record, pass_on, consult, invite, monitor, ring_out, call_out, talk, speak, wrap_up,
    rehome, widen, overflow, dismiss, distribute,
)  # fmt: skip
