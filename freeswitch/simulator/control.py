"""What a test or a person asks of the simulator itself, as api commands on the same socket as everything else.

- `simulator call {"dialled": "4001", "name": "Li Wei", "patience_ms": 30000}` answers `+OK <uuid of the leg>`
- `simulator phone {"extension": "1001", "behaviour": "answer", "answer_after_ms": 500}`
- `simulator dial {"extension": "1001", "dialled": "*68"}`: that phone dials, with its own password; with
  `"number": "1002"` it says that it is somebody else; answers `+OK <uuid of the leg>`
- `simulator outside {"extension": "+8675512345678", "behaviour": "busy"}`: what this number outside does with calls;
  with `"registered": false` its trunk is down
- `simulator hangup <uuid>`: the far end of that leg hangs up
- `simulator expire <extension>`: that phone lost its power, and the switch has noticed
- `simulator pickup <uuid>`: the phone that rings is answered
- `simulator hold|resume <uuid>`: its phone puts the call on hold, or takes it off
- `simulator dtmf <uuid> <digits>`: its phone's keys are pressed
- `simulator keys <uuid>` answers `+OK <digits>`: the keys that its far end was sent so far
- `simulator fault {"kind": "drop", "event": "CHANNEL_PARK", "count": 1}`: something goes wrong
- `simulator stats`: counts, as JSON
"""

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from freeswitch.simulator.bus import EventFault
from freeswitch.simulator.people import Caller, Dialling, Phone

if TYPE_CHECKING:
    from freeswitch.simulator.model import Model

EVENT_FAULTS = ("drop", "double", "delay", "reorder")
LINK_FAULTS = ("close", "close_mid_frame", "stuck")
"""What the server does to connections, see server.py."""


class Control:
    """The command `simulator`."""

    def __init__(self, model: "Model") -> None:
        self._model = model
        self.link_faults: list[tuple[str, int]] = []
        """Faults of connections that the server has still to carry out: kind, and for how long (ms)."""

    def run(self, argument: str) -> str:
        """One line of reply, +OK or -ERR with what to do."""
        verb, _, rest = argument.partition(" ")
        model = self._model
        now = model.now
        try:
            match verb:
                case "call":
                    return f"+OK {model.call(_made(Caller, rest), now)}\n"
                case "phone":
                    model.phone(_made(Phone, rest), now)
                    return "+OK\n"
                case "dial":
                    return f"+OK {model.dial(_made(Dialling, rest), now)}\n"
                case "outside":
                    model.outsider(_made(Phone, rest), now)
                    return "+OK\n"
                case "hangup":
                    return _done(worked=model.hang_up(rest.strip(), now))
                case "expire":
                    worked = model.expire(rest.strip(), now)
                    return "+OK\n" if worked else f"-ERR phone {rest.strip()!r} is not registered\n"
                case "pickup":
                    return _done(worked=model.pick_up(rest.strip(), now))
                case "hold":
                    return _done(worked=model.hold(rest.strip(), now))
                case "resume":
                    return _done(worked=model.hold(rest.strip(), now, on=False))
                case "dtmf":
                    uuid, _, digits = rest.partition(" ")
                    return _done(worked=model.press(uuid, digits, now))
                case "keys":
                    leg = model.switch.registry.locate(rest.strip())
                    return f"+OK {leg.keys_sent}\n" if leg is not None else _done(worked=False)
                case "fault":
                    return self._fault(rest)
                case "stats":
                    return json.dumps(self._stats()) + "\n"
                case _:
                    return (
                        "-ERR simulator: use call, phone, dial, outside, expire, hangup, pickup, hold, resume, dtmf, "
                        "keys, fault or stats\n"
                    )
        except ValueError as problem:
            return f"-ERR simulator {verb}: {problem}\n"

    def _fault(self, text: str) -> str:
        asked = _object(text)
        kind = str(asked.get("kind", ""))
        model, switch = self._model, self._model.switch
        count = int(asked.get("count", 1))
        match kind:
            case "drop" | "double" | "delay" | "reorder":
                model.fault(_made(EventFault, text))
            case "silent_kill":
                return _done(worked=model.vanish(str(asked.get("leg", "")), model.now))
            case "lose_job":
                switch.lose_jobs += count
            case "refuse_originate":
                switch.refuse_originates = (count, str(asked.get("cause", "NORMAL_TEMPORARY_FAILURE")))
            case "restart":
                self.link_faults.append(("restart", int(asked.get("ms", 0))))
            case "shutdown":
                model.shut_down(model.now)
            case "none":
                switch.bus.faults.clear()
                switch.lose_jobs = 0
                switch.refuse_originates = (0, "")
            case _ if kind in LINK_FAULTS:
                self.link_faults.append((kind, int(asked.get("ms", 0))))
            case _:
                known = (*EVENT_FAULTS, *LINK_FAULTS, "silent_kill", "lose_job", "refuse_originate", "restart")
                raise ValueError(f"kind {kind!r}: use one of {', '.join((*known, 'shutdown', 'none'))}")
        return "+OK\n"

    def _stats(self) -> dict[str, int | str]:
        switch = self._model.switch
        return {
            "core_uuid": switch.bus.core_uuid,
            "legs": len(switch.legs),
            "sessions": switch.counts.sessions,
            "events": switch.bus.told,
            "sequence": switch.bus.sequence,
            "restarts": self._model.restarts,
        }


def _done(*, worked: bool) -> str:
    return "+OK\n" if worked else "-ERR No such channel!\n"


def _object(text: str) -> dict[str, Any]:
    try:
        asked = json.loads(text or "{}")
    except json.JSONDecodeError as problem:
        raise ValueError(f"no JSON ({problem}): write an object such as {{}}") from problem
    if not isinstance(asked, dict):
        raise ValueError("write a JSON object, e.g. {}")  # noqa: TRY004 - the sender's mistake, not the programmer's
    return asked


def _made(kind: type[Any], text: str) -> Any:  # noqa: ANN401 - one of four dataclasses, as the caller says
    return made(kind, _object(text))


def made(kind: type[Any], asked: dict[str, Any]) -> Any:  # noqa: ANN401 - see above
    """An object of this dataclass from a script's values. Raises ValueError that names a field there is not."""
    known = {field.name for field in fields(kind)}
    unknown = set(asked) - known
    if unknown:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}: use {', '.join(sorted(known))}")
    try:
        return kind(**asked)
    except TypeError as problem:
        raise ValueError(str(problem)) from problem
