"""The product's side of a contract test: its own link, translation and performer, and what they said."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from msgspec import structs

from orchestrator.domain.contacts.announcing import prompts_for, prompts_for_park, prompts_for_place
from orchestrator.domain.kernel import MILLISECOND, Instant
from orchestrator.domain.switch import facts as f
from orchestrator.domain.switch import instructions as i
from orchestrator.esl.events import SwitchEvent
from orchestrator.esl.node import Link
from orchestrator.esl.perform import Performer
from orchestrator.esl.translate import translate
from orchestrator.settings import Switch
from tests.lab.patience import until

F = TypeVar("F", bound=f.Fact)


def now() -> Instant:
    """Our clock."""
    return Instant(time.time_ns() // 1_000)


class Desk:
    """Facts in, instructions out. Facts are kept in order; `await_fact` takes out the one it returns."""

    def __init__(self, switch: Switch, recordings: Path, *, beside: "Desk | None" = None) -> None:
        """`beside`: one at another switch, to which what is told that one is written, too."""
        self.facts: list[f.Fact] = []
        self.told: list[f.Fact] = []
        """Every fact ever told, also those taken out: what a failing test prints."""
        self.closed_offers: set[str] = set()
        self.node = switch.name
        self.link = Link(switch, self._take, clock=now)
        self.performer = Performer(
            {self.node: self.link, **({beside.node: beside.link} if beside is not None else {})},
            may_write=lambda: True,
            offer_open=lambda offer: offer not in self.closed_offers,
            deliver=self._take,
            clock=now,
            recordings=str(recordings),
        )
        self._callers: set[str] = set()
        self._ids = itertools.count(1)
        self._run = uuid4().hex[:12]

    def start(self) -> None:
        """Connect; returns once the first snapshot is here."""
        self.link.start()
        self.await_fact(f.Snapshot, within_s=30)

    def stop(self) -> None:
        """Disconnect, as the product does when it ends."""
        self.performer.stop()
        self.link.stop()

    def _take(self, item: SwitchEvent | f.Fact, _: Instant) -> None:
        facts = translate(self.node, item) if isinstance(item, SwitchEvent) else (item,)
        self.facts += facts
        self.told += facts

    # --- what was said -----------------------------------------------------------------------------------------------
    def await_fact(
        self, kind: type[F], /, *, fits: Callable[[F], bool] = lambda _: True, within_s: float = 30.0, **fields: object
    ) -> F:
        """The first fact of this kind with these fields, said already or to come; it is taken out."""

        def look() -> F | None:
            for index, fact in enumerate(self.facts):
                if isinstance(fact, kind) and fits(fact) and all(getattr(fact, k) == v for k, v in fields.items()):
                    del self.facts[index]
                    return fact
            return None

        try:
            return until(look, f"{kind.__name__} with {fields}", within_s=within_s)
        except AssertionError as error:
            story = "\n".join(map(brief, self.told[-40:]))
            raise AssertionError(f"{error}. What was told:\n{story}") from None

    def said(self, kind: type[F], /, **fields: object) -> list[F]:
        """Facts of this kind with these fields that were told and not taken out."""
        return [x for x in self.facts if isinstance(x, kind) and all(getattr(x, k) == v for k, v in fields.items())]

    # --- what is done ------------------------------------------------------------------------------------------------
    def next_id(self) -> str:
        """An id for an instruction, a leg, a contact: new in the whole run."""
        return f"{self._run}-{next(self._ids)}"

    def do(self, instruction: i.Instruction) -> str:
        """Perform it; returns its id."""
        self.performer.perform(instruction)
        return instruction.id

    def answer(self, leg: str, contact: str) -> str:
        return self.do(i.AnswerCaller(id=self.next_id(), node=self.node, leg=leg, contact=contact))

    def play(self, leg: str, music: str = "ringledger") -> str:
        return self.do(i.PlayWaiting(id=self.next_id(), node=self.node, leg=leg, music=music))

    def claim(self, leg: str, contact: str) -> str:
        return self.do(i.ClaimCaller(id=self.next_id(), node=self.node, leg=leg, contact=contact))

    def notice(self, leg: str, prompt: str = "notice_weather") -> str:
        return self.do(i.PlayNotice(id=self.next_id(), node=self.node, leg=leg, prompt=prompt))

    def apologise(self, leg: str, cause: str = "NORMAL_CLEARING") -> str:
        return self.do(i.PlayApology(id=self.next_id(), node=self.node, leg=leg, prompt="apology", cause=cause))

    def ring(
        self,
        extension: str,
        *,
        contact: str,
        offer: str = "",
        leg: str = "",
        ring_ms: int = 20_000,
        name: str = "Ada",
        via: str = "",
        stays: bool = False,
    ) -> str:
        """Ring this phone, which is at the switch `via` where that is another one; returns the new leg's name."""
        leg = leg or str(uuid4())
        self.do(
            i.RingAgent(
                id=self.next_id(),
                node=self.node,
                leg=leg,
                contact=contact,
                offer=offer or self.next_id(),
                extension=extension,
                via=via,
                caller_number="+31201234567",
                caller_name=name,
                stays=stays,
                ring_ms=ring_ms,
                deadline=Instant(now() + 30_000 * MILLISECOND),
            )
        )
        return leg

    def dial(
        self,
        number: str,
        *,
        contact: str,
        offer: str = "",
        show: str = "",
        ring_ms: int = 20_000,
        trunk: str = "outside",
        early: bool = False,
    ) -> str:
        """Call this number outside; returns the new leg's name."""
        leg = str(uuid4())
        self.do(
            i.DialOutside(
                id=leg,
                node=self.node,
                leg=leg,
                contact=contact,
                offer=offer or leg,
                number=number,
                show=show,
                trunk=trunk,
                ring_ms=ring_ms,
                deadline=Instant(now() + 30_000 * MILLISECOND),
                early=early,
            )
        )
        return leg

    def let_hear_ringing(self, leg: str) -> str:
        return self.do(i.PlayRinging(id=self.next_id(), node=self.node, leg=leg))

    def let_answer(self, leg: str, offer: str = "o") -> str:
        return self.do(i.AnswerPhone(id=self.next_id(), node=self.node, leg=leg, offer=offer))

    def bridge(self, leg: str, other: str) -> str:
        return self.do(i.BridgeLegs(id=self.next_id(), node=self.node, leg=leg, other=other))

    def park(self, leg: str) -> str:
        return self.do(i.ParkLeg(id=self.next_id(), node=self.node, leg=leg))

    def confer(self, leg: str, room: str) -> str:
        return self.do(i.ConferLeg(id=self.next_id(), node=self.node, leg=leg, room=room))

    def keep(self, leg: str) -> str:
        return self.do(i.KeepLeg(id=self.next_id(), node=self.node, leg=leg))

    def hold(self, leg: str) -> str:
        return self.do(i.HoldLeg(id=self.next_id(), node=self.node, leg=leg))

    def resume(self, leg: str) -> str:
        return self.do(i.ResumeLeg(id=self.next_id(), node=self.node, leg=leg))

    def mute(self, leg: str, *, on: bool = True) -> str:
        kind = i.MuteLeg if on else i.UnmuteLeg
        return self.do(kind(id=self.next_id(), node=self.node, leg=leg))

    def send_digits(self, leg: str, digits: str) -> str:
        return self.do(i.SendDigits(id=self.next_id(), node=self.node, leg=leg, digits=digits))

    def hang_up(self, leg: str, cause: str = "NORMAL_CLEARING") -> str:
        return self.do(i.HangUpLeg(id=self.next_id(), node=self.node, leg=leg, cause=cause))

    def record(self, leg: str, file: str) -> str:
        return self.do(i.StartRecording(id=self.next_id(), node=self.node, leg=leg, file=file))

    def stop_recording(self, leg: str, file: str) -> str:
        return self.do(i.StopRecording(id=self.next_id(), node=self.node, leg=leg, file=file))

    def mask(self, leg: str, file: str, *, on: bool = True) -> str:
        kind = i.MaskRecording if on else i.UnmaskRecording
        return self.do(kind(id=self.next_id(), node=self.node, leg=leg, file=file))

    def say_and_hang_up(self, leg: str, place: int) -> str:
        prompts = prompts_for_park(place)
        return self.do(i.SayAndHangUp(id=self.next_id(), node=self.node, leg=leg, prompts=prompts))

    def announce(self, leg: str, other: str, number: str = "801") -> str:
        prompts = prompts_for(number)
        return self.do(i.AnnounceNumber(id=self.next_id(), node=self.node, leg=leg, other=other, prompts=prompts))

    def tell_place(self, leg: str, position: int = 2, estimate_ms: int = 150_000) -> str:
        prompts = prompts_for_place(position, estimate_ms)
        return self.do(i.SayPlace(id=self.next_id(), node=self.node, leg=leg, prompts=prompts))

    def hush_place(self, leg: str, position: int = 2, estimate_ms: int = 150_000) -> str:
        prompts = prompts_for_place(position, estimate_ms)
        return self.do(i.HushPlace(id=self.next_id(), node=self.node, leg=leg, prompts=prompts))

    def eavesdrop(self, leg: str, other: str, mode: str = "listen") -> str:
        return self.do(i.EavesdropLeg(id=self.next_id(), node=self.node, leg=leg, other=other, mode=mode))

    def steer(self, leg: str, mode: str) -> str:
        return self.do(i.SteerEavesdrop(id=self.next_id(), node=self.node, leg=leg, mode=mode))

    def exists(self, leg: str) -> bool:
        """Whether the leg lives, asked of the switch now."""
        self.do(i.CheckLeg(id=self.next_id(), node=self.node, leg=leg))
        return self.await_fact(f.LegPresence, leg=leg).exists

    def snapshot(self) -> f.Snapshot:
        """All channels, asked of the switch now."""
        self.do(i.TakeSnapshot(id=self.next_id(), node=self.node, leg=""))
        return self.await_fact(f.Snapshot)

    # --- a few of them together --------------------------------------------------------------------------------------
    def parked_caller(self, dialled: str = "4000") -> str:
        """The leg of the caller who has just arrived; not one whom we know, and of whom the switch tells late."""
        known = self._callers
        leg = self.await_fact(
            f.LegParked, fits=lambda parked: parked.leg not in known, inbound=True, dialled=dialled
        ).leg
        known.add(leg)
        return leg

    def agents_leg(self, extension: str, contact: str) -> str:
        """A leg to this phone, answered and parked."""
        leg = self.ring(extension, contact=contact)
        self.await_fact(f.LegAnswered, leg=leg)
        self.await_fact(f.LegParked, leg=leg)
        return leg

    def talk(self, extension: str = "1001", dialled: str = "4000") -> tuple[str, str, str]:
        """Serve the caller who has just arrived up to the bridge: its leg, the agent's leg, the contact."""
        contact = self.next_id()
        leg = self.parked_caller(dialled)
        self.answer(leg, contact)
        self.play(leg)
        self.await_fact(f.LegAnswered, leg=leg)
        other = self.agents_leg(extension, contact)
        self.bridge(leg, other)
        self.await_fact(f.LegBridged, leg=leg, other=other)
        return leg, other, contact


def brief(fact: f.Fact) -> str:
    """One line about a fact, without what is empty."""
    fields = {
        k: v for k, v in structs.asdict(fact).items() if v not in ("", 0, None, False) and k not in ("node", "at")
    }
    return f"  {type(fact).__name__} {fields}"
