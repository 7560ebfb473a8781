"""Instructions become commands: checked again in the same breath in which they are written, never waited for.

What goes wrong comes back as a fact: `InstructionSkipped` where a re-check failed, `InstructionFailed` where the switch
refused, could not be reached, or gave no answer in time. What each kind does stands in `performing.ROWS`.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from itertools import groupby
from operator import attrgetter
from typing import Final

import gevent

from orchestrator.domain.kernel import Instant
from orchestrator.domain.switch import instructions as i
from orchestrator.domain.switch.facts import (
    EavesdropSet,
    Fact,
    InstructionFailed,
    InstructionSkipped,
    LegPresence,
    MaskSet,
    MuteSet,
    RecordingSet,
)
from orchestrator.esl import commands
from orchestrator.esl.node import Deliver, Link
from orchestrator.esl.pacing import Pace
from orchestrator.esl.performing import ROWS, Recheck
from orchestrator.esl.replies import NoReply, Outcome

# Ids of instructions already taken, to recognise a repeat: a minute of work at 100 calls/s with ten instructions each.
_REMEMBERED: Final = 60_000
REPEAT: Final = "repeat"
# By their classes, looked up: to ask an instruction whether it is one of several kinds costs as much as to write it.
_HEARD_MEANWHILE: Final = frozenset({i.AnswerCaller, i.ClaimCaller, i.PlayNotice, i.PlayWaiting})
_NEW_LEG: Final = frozenset({i.RingAgent, i.DialOutside})
_ANSWERED_OTHERWISE: Final = frozenset(
    {i.HushPlace, i.MaskRecording, i.UnmaskRecording, i.MuteLeg, i.UnmuteLeg, i.EavesdropLeg, i.SteerEavesdrop}
)


class Performer:
    """Writes instructions to the switches. `perform` and `perform_all` never block and never raise."""

    def __init__(
        self,
        links: Mapping[str, Link],
        *,
        may_write: Callable[[], bool],
        offer_open: Callable[[str], bool],
        deliver: Deliver,
        clock: Callable[[], Instant],
        recordings: str,
        domain: str = "ringledger",
        pace: Callable[[], Pace] = Pace,
    ) -> None:
        """`recordings` is the switch's folder, `domain` the one in which agents' phones register."""
        self._links = links
        self._may_write = may_write
        self._offer_open = offer_open
        self._deliver = deliver
        self._clock = clock
        self._recordings = recordings
        self._domain = domain
        self._paces = {node: pace() for node in links}
        self._taken: OrderedDict[str, None] = OrderedDict()
        self._later: set[gevent.Greenlet] = set()

    def perform_all(self, instructions: Iterable[i.Instruction]) -> None:
        """Write them in their order; those that follow each other to one switch go out together, and of these a new leg
        before what its caller is to hear.
        """
        for node, group in groupby(instructions, attrgetter("node")):
            link = self._links.get(node)
            with nullcontext() if link is None else link.together():
                for instruction in _phones_first(group):
                    self.perform(instruction)

    def perform(self, instruction: i.Instruction) -> None:
        """Write it now (a new leg: when its turn comes). Its outcome, where it is a bad one, follows as a fact."""
        link = self._links.get(instruction.node)
        if link is None:
            known = ", ".join(sorted(self._links)) or "none"
            self._fail(instruction, f"no such switch here (known: {known})")
        elif isinstance(instruction, i.CheckLeg):
            self._check(link, instruction)
        elif isinstance(instruction, i.TakeSnapshot):
            link.take_snapshot()
        elif self._is_repeat(instruction):
            self._skip(instruction, REPEAT)
        elif type(instruction) in _NEW_LEG:
            self._in_turn(link, instruction, getattr(instruction, "after_ms", 0))
        else:
            self._write(link, instruction)

    def _in_turn(self, link: Link, instruction: i.Instruction, after_ms: int) -> None:
        if after_ms:
            later = gevent.spawn_later(after_ms / 1_000, self._in_turn, link, instruction, 0)
            self._later.add(later)
            later.link(self._later.discard)
        else:
            self._paces[instruction.node].go(lambda: self._write(link, instruction))

    def held_back(self, node: str) -> int:
        """New legs that wait for their turn on this switch."""
        return self._paces[node].waiting

    def stop(self) -> None:
        """Drop new legs that wait for their turn, or their time."""
        gevent.killall(list(self._later))
        for pace in self._paces.values():
            pace.stop()

    # --- before ------------------------------------------------------------------------------------------------------
    def _is_repeat(self, instruction: i.Instruction) -> bool:
        if instruction.id in self._taken:
            return True
        self._taken[instruction.id] = None
        if len(self._taken) > _REMEMBERED:
            self._taken.popitem(last=False)
        return False

    def _why_not(self, instruction: i.Instruction) -> str:
        """Which re-check fails at this moment; empty where none does."""
        for recheck in ROWS[type(instruction)].rechecks:
            if not self._holds(recheck, instruction):
                return recheck.value
        return ""

    def _holds(self, recheck: Recheck, instruction: i.Instruction) -> bool:
        match recheck:
            case Recheck.LEASE:
                return self._may_write()
            case Recheck.OFFER:
                offer = getattr(instruction, "offer", "")
                return not offer or self._offer_open(offer)
            case Recheck.DEADLINE:
                return self._clock() < getattr(instruction, "deadline", 0)

    # --- writing -----------------------------------------------------------------------------------------------------
    def _write(self, link: Link, instruction: i.Instruction) -> bool:
        """Whether anything was written. Between the re-check and the write no other greenlet runs."""
        why = self._why_not(instruction)
        if why:
            self._skip(instruction, why)
            return False
        try:
            quick, background = self._commands(instruction)
        except commands.Unusable as error:
            self._fail(instruction, f"unusable: {error}")
            return False
        row = ROWS[type(instruction)]
        outcome = _Outcomes(lambda bad: self._judge(instruction, bad))

        def still() -> bool:
            return not self._why_not(instruction)

        if isinstance(instruction, i.BridgeLegs):
            link.command(commands.answer_now(instruction.leg), _unheard, still=still)
        last: Callable[[Outcome], None] = outcome.take
        if type(instruction) in _ANSWERED_OTHERWISE:
            last = self._who_takes(instruction, last)
        for command in quick[:-1]:
            link.command(command, outcome.take, deadline_ms=row.deadline_ms, still=still)
        for command in quick[-1:]:
            link.command(command, last, deadline_ms=row.deadline_ms, still=still)
        if background:
            deadline_ms = row.deadline_ms + getattr(instruction, "ring_ms", 0)
            if isinstance(instruction, i.StartRecording):
                last = self._recording_set(instruction, last)
            link.job(instruction.id, background, last, deadline_ms=deadline_ms, still=still)
        return True

    def _who_takes(self, instruction: i.Instruction, bad: Callable[[Outcome], None]) -> Callable[[Outcome], None]:
        """Who takes the answer to the last command of an instruction of which no event of the switch tells."""
        match instruction:
            case i.HushPlace():
                return _unheard  # whatever a leg is to hear no more, it mostly hears no more
            case i.MaskRecording() | i.UnmaskRecording():
                return self._mask_set(instruction, bad)
            case i.MuteLeg() | i.UnmuteLeg():
                return self._mute_set(instruction, bad)
            case i.EavesdropLeg() | i.SteerEavesdrop():
                return self._eavesdrop_set(instruction, bad)
        return bad

    def _recording_set(
        self, instruction: i.StartRecording, bad: Callable[[Outcome], None]
    ) -> Callable[[Outcome], None]:
        """Of a repeat no event of the switch tells, and the event of the first can be lost: its answer says it, too."""

        def take(outcome: Outcome) -> None:
            if isinstance(outcome, NoReply) or not outcome.ok:
                bad(outcome)
                return
            self._tell(RecordingSet(node=instruction.node, leg=instruction.leg, file=instruction.file))

        return take

    def _mask_set(
        self, instruction: i.MaskRecording | i.UnmaskRecording, bad: Callable[[Outcome], None]
    ) -> Callable[[Outcome], None]:
        """No event of the switch says what it writes: its answer does."""

        def take(outcome: Outcome) -> None:
            if isinstance(outcome, NoReply) or not outcome.ok:
                bad(outcome)
                return
            on = isinstance(instruction, i.MaskRecording)
            self._tell(MaskSet(node=instruction.node, leg=instruction.leg, file=instruction.file, on=on))

        return take

    def _eavesdrop_set(
        self, instruction: i.EavesdropLeg | i.SteerEavesdrop, bad: Callable[[Outcome], None]
    ) -> Callable[[Outcome], None]:
        """As of a mask: the answer to the last of its commands says that it was taken."""

        def take(outcome: Outcome) -> None:
            if isinstance(outcome, NoReply) or not outcome.ok:
                bad(outcome)
                return
            self._tell(EavesdropSet(node=instruction.node, leg=instruction.leg, mode=instruction.mode))

        return take

    def _mute_set(
        self, instruction: i.MuteLeg | i.UnmuteLeg, bad: Callable[[Outcome], None]
    ) -> Callable[[Outcome], None]:
        """As of a mask."""

        def take(outcome: Outcome) -> None:
            if isinstance(outcome, NoReply) or not outcome.ok:
                bad(outcome)
                return
            on = isinstance(instruction, i.MuteLeg)
            self._tell(MuteSet(node=instruction.node, leg=instruction.leg, on=on))

        return take

    def _commands(self, instruction: i.Instruction) -> tuple[tuple[str, ...], str]:
        """Quick commands, and a background one (or empty). Raises Unusable."""
        leg = instruction.leg
        match instruction:
            case i.AnswerCaller(contact=contact):  # first those that nearly every call has
                return (commands.set_contact(leg, contact), commands.answer(leg)), ""
            case i.PlayWaiting(music=music):
                return (commands.play_stream(leg, music),), ""
            case i.PlayRinging():
                return (commands.play_ringing(leg),), ""
            case i.RingAgent():
                return (), commands.originate(
                    leg=leg,
                    contact=instruction.contact,
                    offer=instruction.offer,
                    extension=instruction.extension,
                    domain=self._domain,
                    caller_number=instruction.caller_number,
                    caller_name=instruction.caller_name,
                    ring_ms=instruction.ring_ms,
                    via=instruction.via,
                    stays=instruction.stays,
                    answers=instruction.answers,
                )
            case i.BridgeLegs(other=other):
                return (), commands.bridge(leg, other)
            case i.HangUpLeg(cause=cause):
                return (), commands.kill(leg, cause)
            case i.ClaimCaller(contact=contact):
                return (commands.set_contact(leg, contact),), ""
            case i.PlayNotice(prompt=prompt):
                return (commands.play_prompt(leg, prompt),), ""
            case i.PlayApology(prompt=prompt, cause=cause):
                return (
                    commands.stop_playing(leg),
                    commands.play_prompt(leg, prompt),
                    commands.hang_up_after(leg, cause),
                ), ""
            case i.SayAndHangUp(prompts=prompts, cause=cause):
                return (
                    commands.answer(leg),
                    commands.play_prompts(leg, prompts),
                    commands.hang_up_after(leg, cause),
                ), ""
            case i.DialOutside():
                return (), commands.dial(
                    leg=leg,
                    contact=instruction.contact,
                    offer=instruction.offer,
                    number=instruction.number,
                    trunk=instruction.trunk,
                    show=instruction.show,
                    ring_ms=instruction.ring_ms,
                    early=instruction.early,
                )
            case i.AnswerPhone():
                return (), commands.talk(leg)
            case i.ParkLeg():
                return (commands.stop_playing(leg), commands.park(leg)), ""
            case i.ConferLeg(room=room):
                return (commands.stop_playing(leg), commands.confer(leg, room)), ""
            case i.KeepLeg():
                return commands.keep(leg), ""
            case i.HoldLeg():
                return (), commands.hold(leg)
            case i.ResumeLeg():
                return (), commands.resume(leg)
            case i.MuteLeg() | i.UnmuteLeg():
                return (commands.mute(leg, on=isinstance(instruction, i.MuteLeg)),), ""
            case i.SendDigits(digits=digits):
                return (commands.send_digits(leg, digits),), ""
            case i.StartRecording(file=file):
                return (), commands.record(leg, self._recordings, file)
            case i.StopRecording(file=file):
                return (), commands.record(leg, self._recordings, file, "stop")
            case i.MaskRecording(file=file):
                return (f"api {commands.record(leg, self._recordings, file, 'mask')}",), ""
            case i.UnmaskRecording(file=file):
                return (f"api {commands.record(leg, self._recordings, file, 'unmask')}",), ""
            case i.EavesdropLeg(other=other, mode=mode):
                return commands.eavesdrop(leg, other, mode), ""
            case i.SteerEavesdrop(mode=mode):
                return (commands.steer(leg, mode),), ""
            case i.SayPlace(prompts=prompts):
                return (commands.say_instead(leg, prompts),), ""
            case i.HushPlace(prompts=prompts):
                return (commands.stop_saying(leg, prompts),), ""
            case i.MarkDrained(on=on):
                return (commands.mark_drained(on=on),), ""
            case i.AnnounceNumber(other=other, prompts=prompts):
                return tuple(commands.say_over(each, prompts) for each in (leg, other)), ""
        raise commands.Unusable(f"{type(instruction).__name__} has no way of being written")

    def _check(self, link: Link, instruction: i.CheckLeg) -> None:
        try:
            question = commands.exists(instruction.leg)
        except commands.Unusable as error:
            self._fail(instruction, f"unusable: {error}")
            return

        def answered(outcome: Outcome) -> None:
            if isinstance(outcome, NoReply):
                self._fail(instruction, outcome.why)
            elif outcome.answer in ("true", "false"):
                exists = outcome.answer == "true"
                link.tell(LegPresence(node=link.node, leg=instruction.leg, exists=exists))
            else:
                self._fail(instruction, outcome.answer)

        link.ask(question, answered, deadline_ms=ROWS[i.CheckLeg].deadline_ms)

    # --- after -------------------------------------------------------------------------------------------------------
    def _judge(self, instruction: i.Instruction, outcome: Outcome) -> None:
        """A bad outcome, once per instruction."""
        if isinstance(outcome, NoReply) and outcome.why == "not_sent":
            self._skip(instruction, self._why_not(instruction) or "waited too long to be written")
        else:
            self._fail(instruction, outcome.why if isinstance(outcome, NoReply) else outcome.answer)

    def _skip(self, instruction: i.Instruction, why: str) -> None:
        if why != REPEAT:
            self._taken.pop(instruction.id, None)  # nothing was written: whoever gives it again means it
        self._tell(
            InstructionSkipped(
                node=instruction.node,
                instruction=instruction.id,
                kind=type(instruction).__name__,
                leg=instruction.leg,
                why=why,
            )
        )

    def _fail(self, instruction: i.Instruction, answer: str) -> None:
        self._tell(
            InstructionFailed(
                node=instruction.node,
                instruction=instruction.id,
                kind=type(instruction).__name__,
                leg=instruction.leg,
                answer=answer,
            )
        )

    def _tell(self, fact: Fact) -> None:
        link = self._links.get(fact.node)
        if link is None:
            self._deliver(fact, self._clock())
        else:
            link.tell(fact)


def _phones_first(instructions: Iterable[i.Instruction]) -> Iterator[i.Instruction]:
    """A new leg passes by what a waiting caller hears, and nothing else: a switch reads a command byte by byte, and the
    caller who is answered a millisecond later does not hear it; the agent's phone rings that much earlier.
    """
    heard: list[i.Instruction] = []
    for instruction in instructions:
        if type(instruction) in _HEARD_MEANWHILE:
            heard.append(instruction)
            continue
        if type(instruction) not in _NEW_LEG:
            yield from heard
            heard.clear()
        yield instruction
    yield from heard


def _unheard(_: Outcome) -> None:
    """Nothing that is not known otherwise: of a caller who is answered already, or gone, the bridge says so, too."""


class _Outcomes:
    """The first bad outcome among the commands of one instruction; the others would say the same again."""

    __slots__ = ("_bad",)

    def __init__(self, bad: Callable[[Outcome], None]) -> None:
        self._bad: Callable[[Outcome], None] | None = bad

    def take(self, outcome: Outcome) -> None:
        if self._bad is None or (not isinstance(outcome, NoReply) and outcome.ok):
            return
        bad, self._bad = self._bad, None
        bad(outcome)
