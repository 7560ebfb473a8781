"""The modules of the policies: their package names each policy like its module, so these are asked for by path."""

from importlib import import_module

admit, distribute, placing, record, reserve, talk, tell_place, widen, wrap_up = (
    import_module(f"orchestrator.policies.{name}")
    for name in ("admit", "distribute", "placing", "record", "reserve", "talk", "tell_place", "widen", "wrap_up")
)
consult_policy = import_module("orchestrator.policies.consult")
consult = consult_policy.consult
call_out = import_module("orchestrator.policies.call_out").call_out
invite = import_module("orchestrator.policies.guests").invite
monitor = import_module("orchestrator.policies.monitor").monitor
