"""The far ends of a switch, real or simulated, moved by the same words."""

import json
import re
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import unquote_to_bytes
from uuid import uuid4

from freeswitch.prompts.sound import silence, write_wav
from orchestrator.settings import Switch
from tests.lab.caller import SippCaller
from tests.lab.control import Control
from tests.lab.patience import until
from tests.lab.phone import (
    BaresipPhone,
    EarlyNumbers,
    NumberAtPhone,
    ObedientPhone,
    OutsideNumbers,
    RefusingPhone,
    dial_as,
    register,
    vanished,
)
from tests.lab.ports import free_port
from tests.lab.process import Child
from tests.lab.sound import AGENT_HZ, CALLER_HZ, length_s, listen
from tests.lab.switch import RealSwitch

EXTENSIONS = ("1001", "1002", "1003", "1004", "1005", "1006")
PATIENCE_S = 86_400
"""How long each switch waits for a sign of life, where a test does not say otherwise (`Driver.patience`)."""

Behaviour = Literal["answers", "rings", "obeys", "busy", "rejects", "unreachable", "unregistered"]
"""`answers` at once; `rings` on; `obeys` when asked to answer; `busy` 486; `rejects` 603; `unreachable`: it is gone."""


Outsider = Literal["answers", "slow", "early", "rings", "busy", "unknown", "gone"]
"""A number outside: `slow` answers after `SLOW_MS`; `early` too, and sends the tone of a caller from the first;
`unknown` to the network (404), or `gone`: nobody listens where the trunk leads.
"""
SLOW_MS = 2_500


class Caller(ABC):
    """Somebody who has called."""

    @abstractmethod
    def hang_up(self) -> None:
        """It hangs up now: a CANCEL before the answer, a BYE after it."""


class PhoneEnd(ABC):
    """An agent's phone, registered unless its behaviour says otherwise."""

    @abstractmethod
    def hang_up(self) -> None:
        """It ends the talk; while ringing, it refuses the call as busy."""

    @abstractmethod
    def hold(self, *, on: bool = True) -> None:
        """Its own hold key."""

    @abstractmethod
    def dial(self, number: str) -> None:
        """It dials by itself; whoever it talks with, it puts on hold for it."""

    @abstractmethod
    def leave(self) -> None:
        """It is switched off, and says goodbye to the switch."""

    @abstractmethod
    def die(self) -> None:
        """It loses power without a word: the switch finds out when its registration is over."""


class Driver(ABC):
    """One switch for the length of a test session. `begin` and `end` enclose each test."""

    name: str
    has_sound: bool
    """Whether recordings carry what was said."""
    switch: Switch
    """Where the product connects to."""
    recordings: Path
    unattended: Path
    """Where the switch says what became of callers whom it served by itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stack = ExitStack()

    @abstractmethod
    def __enter__(self) -> Self: ...

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @abstractmethod
    def know(self, **others: int) -> None:
        """These are the other switches, each by the port where it takes our callers. Before the block is entered."""

    def begin(self) -> None:
        """A new test begins: nobody calls, no phone is there, and the switch is nobody's."""
        self.stack = ExitStack()
        with self.control() as control:
            control.api("global_setvar ringledger_ledger=")

    def end(self) -> None:
        """Everybody leaves, and what the test left behind is hung up. Returns once the switch has no channel."""
        self.stack.close()
        with self.control() as control:
            if sessions(control):
                control.api("hupall")
            self.await_empty()
            # A real switch hands out events late, also to those who subscribe later: the next test must not get ours.
            control.subscribe("CHANNEL_PARK CHANNEL_UNBRIDGE CHANNEL_HANGUP_COMPLETE CUSTOM sofia::unregister")
            until(lambda: not control.drain(0.1), "the switch to have told everything")

    def await_empty(self, within_s: float = 30.0) -> None:
        """Return once the switch has no channel, by its own count; AssertionError where one survives."""
        with self.control() as control:
            until(lambda: sessions(control) == 0, "the switch to have no channel left", within_s=within_s)

    def control(self) -> Control:
        """A connection of the test's own to the event socket, apart from the product's."""
        return Control(self.switch.port, self.switch.password)

    @abstractmethod
    def call(self, dialled: str = "4000", *, number: str = "+31201234567", name: bytes = b'"Ada" ') -> Caller:
        """A new caller. `name` is what stands before the address in its From header, byte for byte."""

    @abstractmethod
    def phone(
        self, extension: str, behaviour: Behaviour = "answers", *, expires_s: int = 60, hertz: int = AGENT_HZ
    ) -> PhoneEnd:
        """A phone, from now to the end of the test. `expires_s`: how long its registration holds without a word.
        `hertz`: the tone that it says.
        """

    @abstractmethod
    def forge(self, extension: str, number: str, *, says: str) -> None:
        """A registered phone dials this number with its own password, and says in each header that it is `says`; until
        the switch has ended that call.
        """

    @abstractmethod
    def outside(self, number: str, behaviour: Outsider = "answers") -> None:
        """What a number outside does with calls, from now to the end of the test."""

    @abstractmethod
    def number_at_phone(self, number: str, *, answers: bool = True) -> PhoneEnd:
        """A number outside whose phone answers by itself or rings, and puts down when told to."""

    @abstractmethod
    def number_shown(self, number: str) -> str:
        """Whose number whoever is on the line at this number outside sees."""

    @abstractmethod
    def press_keys(self, leg: str, digits: str) -> None:
        """The phone of this leg sends these digits."""

    @abstractmethod
    def call_that_hears_keys(self) -> Caller:
        """A new caller to 4000 of whom `assert_keys_heard` can tell what keys arrived."""

    @abstractmethod
    def assert_keys_heard(self, leg: str, digits: str) -> None:
        """The far end of this leg, whom `call_that_hears_keys` made, was sent these keys."""

    @abstractmethod
    def unregister(self, extension: str) -> None:
        """The phone says goodbye."""

    def let_hear(self, milliseconds: int) -> None:
        """Let the parties hear each other for a while: sound takes the time that it lasts."""
        time.sleep(milliseconds / 1_000)

    def assert_recorded(
        self,
        path: str,
        *,
        left: int | None,
        right: int | Literal["music"],
        from_s: float = 0.3,
        to_s: float | None = None,
    ) -> None:
        """The file is a stereo recording of this: a tone in Hz, or music, which is neither tone nor silence. What the
        caller says (`left`) may be left out: nobody hears a caller who is not answered.

        A simulated switch has no sound: there the file is only looked at for its shape and length.
        """
        file = Path(path)
        assert file.parent == self.recordings
        if not self.has_sound:
            assert length_s(file) > (to_s or from_s)
            return
        if left is not None:
            assert listen(file, 0, from_s=from_s, to_s=to_s).dominant == left
        heard = listen(file, 1, from_s=from_s, to_s=to_s)
        if right == "music":
            assert not heard.silent
            assert heard.dominant == 0
        else:
            assert heard.dominant == right

    @abstractmethod
    def shorten_prompts(self) -> None:
        """What a caller hears whom the switch serves by itself is over in a moment, from now on."""

    @contextmanager
    def patience(self, seconds: int) -> Iterator[None]:
        """For the length of the block, after how many seconds without a sign of life it serves callers by itself."""
        with self.control() as control:
            control.api(f"global_setvar ringledger_patience_s={seconds}")
            yield
            control.api(f"global_setvar ringledger_patience_s={PATIENCE_S}")
            control.api("global_setvar ringledger_alive=yes")
            until(
                lambda: control.api("global_getvar ringledger_unattended").strip() != "yes", "the switch to be patient"
            )

    @property
    def apology_ms(self) -> int:
        """How long the apology lasts on this switch."""
        return 0

    @abstractmethod
    def cut_link(self) -> None:
        """The event socket closes all its connections and listens again; calls live on."""

    @abstractmethod
    def restart(self) -> None:
        """The switch dies with all its calls, and starts again."""


def sessions(control: Control) -> int:
    """How many channels the switch has, by its own count."""
    found = re.search(r"(?m)^(\d+) session\(s\) - peak", control.api("status"))
    assert found, "the switch does not count its sessions"
    return int(found[1])


# --- the real one ----------------------------------------------------------------------------------------------------
class _RealCaller(Caller):
    def __init__(self, sipp: SippCaller) -> None:
        self.sipp = sipp

    def hang_up(self) -> None:
        self.sipp.hang_up()


class _LoopedCaller(Caller):
    """The switch calls itself over its own trunk, so that it can say what the far end hears."""

    def __init__(self, control: Control, trunk_port: int) -> None:
        self.control = control
        self.leg = str(uuid4())
        control.subscribe("DTMF")
        target = f"sofia/trunk/4000@127.0.0.1:{trunk_port}"
        control.background(f"originate {{origination_uuid={self.leg}}}{target} &park()")

    def hang_up(self) -> None:
        self.control.api(f"uuid_kill {self.leg}")


class _Talker(PhoneEnd):
    def __init__(self, baresip: BaresipPhone) -> None:
        self.baresip = baresip

    def hang_up(self) -> None:
        self.baresip.hang_up()

    def hold(self, *, on: bool = True) -> None:
        if on:
            self.baresip.hold()
        else:
            self.baresip.resume()

    def dial(self, number: str) -> None:
        self.baresip.dial(number)

    def leave(self) -> None:
        self.baresip.leave()

    def die(self) -> None:
        self.baresip.die()


class _Mute(PhoneEnd):
    """A phone that does not talk: whatever it is asked would be a mistake of the test."""

    def hang_up(self) -> None:
        raise AssertionError("this phone never has a call to end")

    def hold(self, *, on: bool = True) -> None:
        raise AssertionError(f"this phone never has a call to hold ({on})")

    def dial(self, number: str) -> None:
        raise AssertionError(f"this phone dials nobody ({number})")

    def leave(self) -> None:
        raise AssertionError("this phone cannot be switched off")

    def die(self) -> None:
        raise AssertionError("this phone cannot lose power")


class RealDriver(Driver):
    """FreeSWITCH with our configuration, sipp and baresip."""

    name = "real"
    has_sound = True

    def __init__(
        self, folder: Path, binary: Path, *, node: str = "real", peer_port: int = 0, sounds: Path | None = None
    ) -> None:
        super().__init__(folder)
        self.real = RealSwitch(
            folder, binary=binary, extensions=EXTENSIONS, sounds=sounds, peer_port=peer_port, patience_s=PATIENCE_S
        )
        self.unattended = self.real.plan.unattended
        self.recordings = self.real.plan.recordings
        self.switch = Switch(
            name=node, host="127.0.0.1", port=self.real.plan.esl_port, password=self.real.plan.esl_password
        )

    def __enter__(self) -> Self:
        self._start()
        return self

    def _start(self) -> None:
        """Start it, and see a first phone come and go: what a fresh switch tells at first can be half a second late."""
        self.real.start()
        account, port = self.real.phone(EXTENSIONS[-1]), self.real.plan.sip_port
        with self.control() as control:
            control.subscribe("CUSTOM sofia::register sofia::unregister")
            for expires_s in (60, 0):
                register(self.folder, account, port, f"127.0.0.1:{free_port()}", expires_s=expires_s)
                control.await_event("CUSTOM")

    def know(self, **others: int) -> None:
        self.real.know(**others)

    def shorten_prompts(self) -> None:
        for prompt in ("unattended", "leave_message", "message_taken"):
            write_wav(self.real.sounds / self.real.plan.language / f"{prompt}.wav", silence(0.2))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.close()
        self.real.stop()

    def call(self, dialled: str = "4000", *, number: str = "+31201234567", name: bytes = b'"Ada" ') -> Caller:
        sipp = SippCaller(self.folder, self.real.plan.trunk_port, dialled=dialled, number=number, name=name)
        return _RealCaller(self.stack.enter_context(sipp))

    def phone(
        self, extension: str, behaviour: Behaviour = "answers", *, expires_s: int = 60, hertz: int = AGENT_HZ
    ) -> PhoneEnd:
        account, port = self.real.phone(extension), self.real.plan.sip_port
        match behaviour:
            case "answers" | "rings":
                answers = behaviour == "answers"
                baresip = BaresipPhone(self.folder, account, port, answers=answers, expires_s=expires_s, hertz=hertz)
                return _Talker(self.stack.enter_context(baresip))
            case "busy" | "rejects":
                status = 486 if behaviour == "busy" else 603
                self.stack.enter_context(RefusingPhone(self.folder, account, port, status))
            case "obeys":
                self.stack.enter_context(ObedientPhone(self.folder, account, port))
            case "unreachable":
                vanished(self.folder / f"vanished-{extension}", account, port)
                self.stack.callback(self.unregister, extension)
            case "unregistered":
                self.unregister(extension)
        return _Mute()

    def forge(self, extension: str, number: str, *, says: str) -> None:
        dial_as(self.folder, self.real.phone(extension), self.real.plan.sip_port, number, says=says)

    def outside(self, number: str, behaviour: Outsider = "answers") -> None:
        if behaviour == "gone":
            return
        port, folder = self.real.outside_port, self.folder / number
        if behaviour == "early":
            self.stack.enter_context(EarlyNumbers(folder, port, answer_ms=SLOW_MS, hertz=CALLER_HZ))
            return
        status = {"busy": 486, "unknown": 404}.get(behaviour, 200)
        ring_ms = {"rings": 60_000, "slow": SLOW_MS}.get(behaviour, 100)
        self.stack.enter_context(OutsideNumbers(folder, port, status=status, ring_ms=ring_ms))

    def number_at_phone(self, number: str, *, answers: bool = True) -> PhoneEnd:
        phone = NumberAtPhone(self.folder, number, self.real.outside_port, answers=answers)
        return _Talker(self.stack.enter_context(phone))

    def number_shown(self, number: str) -> str:
        last = max((self.folder / number).rglob("story.log"), key=lambda story: story.stat().st_mtime)
        return str(re.findall(r"^shown .*<sip:([^@>]*)@", last.read_text(errors="replace"), re.MULTILINE)[-1])

    @property
    def apology_ms(self) -> int:
        return round(length_s(self.real.sounds / self.real.plan.language / "apology.wav") * 1_000)

    def press_keys(self, leg: str, digits: str) -> None:
        with self.control() as control:
            answer = control.api(f"uuid_recv_dtmf {leg} {digits}")
        assert answer.startswith("+OK"), answer

    def call_that_hears_keys(self) -> Caller:
        self.looped = _LoopedCaller(self.stack.enter_context(self.control()), self.real.plan.trunk_port)
        return self.looped

    def assert_keys_heard(self, leg: str, digits: str) -> None:
        looped = self.looped

        def fits(event: dict[str, str]) -> bool:
            return event["Event-Name"] == "DTMF" and event["Unique-ID"] == looped.leg

        heard = [looped.control.await_that(fits, "a key")["DTMF-Digit"] for _ in digits]
        assert "".join(heard) == digits, leg

    def unregister(self, extension: str) -> None:
        with self.control() as control:
            answer = control.api(f"sofia profile internal flush_inbound_reg {extension}@ringledger")
        assert answer.startswith("+OK"), answer

    def cut_link(self) -> None:
        with self.control() as control:
            control.socket.sendall(b"bgapi reload mod_event_socket\n\n")
            until(lambda: _is_gone(control), "the event socket to close its connections")

    def restart(self) -> None:
        self.real.kill()
        self._start()


def _is_gone(control: Control) -> bool:
    try:
        control.drain(0.1)
    except ConnectionError:
        return True
    return False


# --- the simulated one -----------------------------------------------------------------------------------------------
class _SimulatedCaller(Caller):
    def __init__(self, driver: "SimulatedDriver", leg: str) -> None:
        self.driver = driver
        self.leg = leg

    def hang_up(self) -> None:
        self.driver.tell(f"hangup {self.leg}")


class _SimulatedPhone(PhoneEnd):
    def __init__(self, driver: "SimulatedDriver", extension: str) -> None:
        self.driver = driver
        self.extension = extension
        self._dialled = ""

    def hang_up(self) -> None:
        """The call that it dialled itself comes first: it is the newer one."""
        with self.driver.control() as control:
            dials = bool(self._dialled) and control.api(f"uuid_exists {self._dialled}") == "true"
        self.driver.tell(f"hangup {self._dialled if dials else self._leg()}")

    def hold(self, *, on: bool = True) -> None:
        self.driver.tell(f"{'hold' if on else 'resume'} {self._leg()}")

    def dial(self, number: str) -> None:
        if self._legs():
            self.hold()
        self._dialled = self.driver.tell(f"dial {json.dumps({'extension': self.extension, 'dialled': number})}")

    def leave(self) -> None:
        self.driver.unregister(self.extension)

    def die(self) -> None:
        self.driver.tell(f"expire {self.extension}")

    def _leg(self) -> str:
        """The one leg that this phone has, as the switch lists it once its table has caught up."""

        def look() -> str | None:
            mine = self._legs()
            return mine[0] if len(mine) == 1 else None

        return until(look, f"phone {self.extension} to have one call")

    def _legs(self) -> list[str]:
        with self.driver.control() as control:
            rows = json.loads(control.api("show channels as json")).get("rows", [])
        return [row["uuid"] for row in rows if row["direction"] == "outbound" and self.extension in row["name"]]


class SimulatedDriver(Driver):
    """The simulator, in a process of its own."""

    name = "simulated"
    has_sound = False

    def __init__(self, folder: Path, *, node: str = "simulated", peer_port: int = 0) -> None:
        super().__init__(folder)
        self.peering = ["--name", node, "--peer-port", str(peer_port)] if peer_port else []
        # Two switches draw no leg's name twice.
        self._seed = sum(node.encode()) if peer_port else 1
        self.recordings = folder / "recordings"
        self.recordings.mkdir(parents=True)
        self.unattended = folder / "unattended"
        self.unattended.mkdir()
        self.child: Child | None = None
        self.switch = Switch(name=node, host="127.0.0.1", port=0, password="contract-tests")

    def __enter__(self) -> Self:
        output = self.folder / "simulator.txt"
        command = [
            *(sys.executable, "-m", "freeswitch.simulator", "--port", "0", "--password", self.switch.password),
            *("--seed", str(self._seed), "--heartbeat", "2"),
            *("--patience", str(PATIENCE_S), "--unattended", str(self.unattended)),
            *("--recordings", str(self.recordings)),
            *("--fallback", ",".join(f"user/{extension}@ringledger" for extension in EXTENSIONS)),
            *self.peering,
        ]
        self.child = Child(command, output=output, folder=Path(__file__).parents[2])
        listens = until(
            lambda: re.search(r"event socket on .*:(\d+)", output.read_text()), "the simulator to say its port"
        )
        self.switch = replace(self.switch, port=int(listens[1]))
        for extension in EXTENSIONS:  # there is an account for each, as in the real one's directory
            self.unregister(extension)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.close()
        assert self.child is not None
        self.child.stop()

    def shorten_prompts(self) -> None:
        """They are already: it knows them by name only."""

    def know(self, **others: int) -> None:
        self.peering += [part for name, port in others.items() for part in ("--peer", f"{name}={port}")]

    def tell(self, words: str) -> str:
        """One order to the simulator; AssertionError where it does not take it."""
        with self.control() as control:
            answer = control.api(f"simulator {words}")
        assert answer.startswith("+OK"), answer
        return answer[3:].strip()

    def call(self, dialled: str = "4000", *, number: str = "+31201234567", name: bytes = b'"Ada" ') -> Caller:
        caller = {"dialled": dialled, "number": number, "name": shown(name)}
        return _SimulatedCaller(self, self.tell(f"call {json.dumps(caller)}"))

    def phone(
        self, extension: str, behaviour: Behaviour = "answers", *, expires_s: int = 60, hertz: int = AGENT_HZ
    ) -> PhoneEnd:
        script: dict[str, object] = {"extension": extension, "expires_s": expires_s}
        match behaviour:
            case "answers":
                script |= {"behaviour": "answer", "answer_after_ms": 0}
            case "rings" | "obeys":
                script |= {"behaviour": "no_answer", "obeys_talk": behaviour == "obeys"}
            case "busy":
                script |= {"behaviour": "busy"}
            case "rejects":
                script |= {"behaviour": "reject", "answer_after_ms": 100}
            case "unreachable":
                script |= {"behaviour": "unreachable"}
            case "unregistered":
                script |= {"registered": False}
        self.tell(f"phone {json.dumps(script)}")
        self.stack.callback(self.tell, f"phone {json.dumps({'extension': extension, 'registered': False})}")
        return _SimulatedPhone(self, extension)

    def forge(self, extension: str, number: str, *, says: str) -> None:
        leg = self.tell(f"dial {json.dumps({'extension': extension, 'dialled': number, 'number': says})}")
        with self.control() as control:
            until(lambda: control.api(f"uuid_exists {leg}") == "false", "the call to be ended")

    def outside(self, number: str, behaviour: Outsider = "answers") -> None:
        script: dict[str, object] = {"extension": number, "answer_after_ms": 100}
        match behaviour:
            case "slow" | "early":
                script |= {"answer_after_ms": SLOW_MS, "early": behaviour == "early"}
            case "rings":
                script |= {"behaviour": "no_answer"}
            case "busy":
                script |= {"behaviour": "busy"}
            case "unknown":
                script |= {"behaviour": "reject", "sip_status": 404}
            case "gone":
                script |= {"behaviour": "reject", "sip_status": 503, "answer_after_ms": 0}
        self.tell(f"outside {json.dumps(script)}")

    def number_at_phone(self, number: str, *, answers: bool = True) -> PhoneEnd:
        self.outside(number, "answers" if answers else "rings")
        return _SimulatedPhone(self, number)

    def number_shown(self, number: str) -> str:
        with self.control() as control:
            rows = json.loads(control.api("show channels as json"))["rows"]
            leg = next(row["uuid"] for row in rows if row["name"].endswith(f"/{number}"))
            return control.api(f"uuid_getvar {leg} origination_caller_id_number")

    def press_keys(self, leg: str, digits: str) -> None:
        self.tell(f"dtmf {leg} {digits}")

    def call_that_hears_keys(self) -> Caller:
        return self.call()

    def assert_keys_heard(self, leg: str, digits: str) -> None:
        assert self.tell(f"keys {leg}") == digits

    def unregister(self, extension: str) -> None:
        self.tell(f"phone {json.dumps({'extension': extension, 'registered': False})}")

    def cut_link(self) -> None:
        self.tell('fault {"kind": "close"}')

    def restart(self) -> None:
        self.tell('fault {"kind": "restart", "ms": 200}')


def shown(name: bytes) -> str:
    """A From header's display name as the switch shows it: unquoted, %-escapes decoded, its own `${` made harmless."""
    text = name.strip()
    if text[:1] == text[-1:] == b'"':
        text = text[1:-1]
    return unquote_to_bytes(text).decode("utf-8", "replace").replace("${", "%{")
