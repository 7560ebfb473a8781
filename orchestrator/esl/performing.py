"""How each instruction is performed: one row a kind. The documentation and the restart read this table too.

Law 1: no command changes a call except because of a committed event, and each kind says what a repeat does, what is
looked at again just before it is written, and what becomes of it when we died between the commit and the writing.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from orchestrator.domain.switch import instructions as i


class Recheck(StrEnum):
    """What is looked at again in memory just before a command is written. `uuid_exists` is never one of these."""

    LEASE = "lease"
    """We are still the one that may write (a local monotonic deadline)."""
    OFFER = "offer"
    """The offer is still open."""
    DEADLINE = "deadline"
    """There is still time: the instruction's own deadline has not passed."""


class Adoption(StrEnum):
    """What a restart does with an instruction whose event is committed and which may or may not have been written."""

    REPEAT = "repeat"
    """Perform it (again) where its leg is in the snapshot: twice does what once does."""
    LOOK_FIRST = "look_first"
    """Perform it where the snapshot shows that its effect is missing."""
    WITHDRAW = "withdraw"
    """Never perform it again: withdraw the offer, hang up its leg where it lives, and offer anew."""
    FORGET = "forget"
    """Leave it: whoever wanted to know asks anew."""


class Row(Struct, frozen=True, kw_only=True):
    """One kind of instruction."""

    written: str
    """The commands, in words of the switch."""
    repeat: str
    """What the switch does when the same commands come a second time (tried on a real one)."""
    rechecks: tuple[Recheck, ...]
    adoption: Adoption
    why: str
    """Why adoption does that."""
    deadline_ms: int
    """How long the switch may take to say that it has done it."""


_LEASE: Final = (Recheck.LEASE,)
_QUICK_MS: Final = 3_000
# A hold, a bridge or a hang-up sends SIP to a phone and may wait for it: SIP's T1 of 500 ms, doubled four times.
_SIGNALLED_MS: Final = 8_000
# 300 channels take 92 ms on an idle switch; this is for 1 500 on one in trouble.
_SNAPSHOT_MS: Final = 10_000
RING_SLACK_MS: Final = 5_000
"""Beyond `ring_ms`, which the switch counts from the moment it has a phone to ring."""

ROWS: Final[Mapping[type[i.Instruction], Row]] = {
    i.AnswerCaller: Row(
        written="uuid_setvar LEG ringledger_contact CONTACT; sendmsg LEG execute answer, locked",
        repeat="nothing: an answered leg stays answered",
        rechecks=_LEASE,
        adoption=Adoption.REPEAT,
        why="harmless, and the leg may lack our variable",
        deadline_ms=_QUICK_MS,
    ),
    i.ClaimCaller: Row(
        written="uuid_setvar LEG ringledger_contact CONTACT",
        repeat="nothing: the variable is the same",
        rechecks=_LEASE,
        adoption=Adoption.REPEAT,
        why="harmless, and the leg may lack our variable",
        deadline_ms=_QUICK_MS,
    ),
    i.PlayNotice: Row(
        written="sendmsg LEG execute playback PROMPT.wav, locked",
        repeat="it is heard again, behind what is being played where that is locked",
        rechecks=_LEASE,
        adoption=Adoption.FORGET,
        why="whether it was heard cannot be known, and nobody wants to hear it twice",
        deadline_ms=_QUICK_MS,
    ),
    i.PlayWaiting: Row(
        written="sendmsg LEG execute playback local_stream://MUSIC",
        repeat="the stream is played inside itself: the caller hears no difference, uuid_break all ends both",
        rechecks=_LEASE,
        adoption=Adoption.REPEAT,
        why="a caller who hears silence hangs up; hearing the music twice over is not heard",
        deadline_ms=_QUICK_MS,
    ),
    i.PlayRinging: Row(
        written="sendmsg LEG execute playback tone_stream://…",
        repeat="as of PlayWaiting: the tone is played inside itself, and the bridge ends both",
        rechecks=_LEASE,
        adoption=Adoption.LOOK_FIRST,
        why="it is played over a talk where the number has answered meanwhile",
        deadline_ms=_QUICK_MS,
    ),
    i.PlayApology: Row(
        written="uuid_break LEG all; sendmsg LEG execute playback PROMPT.wav, then execute hangup CAUSE, both locked",
        repeat="the prompt begins again, and the leg is hung up after it",
        rechecks=_LEASE,
        adoption=Adoption.REPEAT,
        why="the contact has ended in the log; its caller must not be left on the line",
        deadline_ms=_QUICK_MS,
    ),
    i.SayAndHangUp: Row(
        written="sendmsg LEG execute answer, execute playback file_string://PROMPT.wav!PROMPT.wav…, "
        "execute hangup CAUSE, all locked",
        repeat="nothing: the hang-up that is queued comes first",
        rechecks=_LEASE,
        adoption=Adoption.FORGET,
        why="a phone's own call that is found after a restart is ended as a stray one",
        deadline_ms=_QUICK_MS,
    ),
    i.RingAgent: Row(
        written="bgapi originate {origination_uuid=LEG,…}user/EXTENSION@DOMAIN &park(), Job-UUID = instruction",
        repeat="refused while the leg lives (-ERR DESTINATION_OUT_OF_ORDER); after it ended, the phone rings again",
        rechecks=(Recheck.LEASE, Recheck.OFFER, Recheck.DEADLINE),
        adoption=Adoption.WITHDRAW,
        why="whether the phone rang cannot be known, and ringing it late or twice is worse than offering anew",
        deadline_ms=RING_SLACK_MS,
    ),
    i.DialOutside: Row(
        written="bgapi originate {origination_uuid=LEG,…}sofia/gateway/TRUNK/NUMBER &park(), Job-UUID = instruction",
        repeat="refused while the leg lives (-ERR DESTINATION_OUT_OF_ORDER); after it ended, the number is called anew",
        rechecks=(Recheck.LEASE, Recheck.OFFER, Recheck.DEADLINE),
        adoption=Adoption.LOOK_FIRST,
        why="a leg that is there rings on or is joined; one that is not counts as not reached, nobody is called twice",
        deadline_ms=RING_SLACK_MS,
    ),
    i.AnswerPhone: Row(
        written="bgapi uuid_phone_event LEG talk, Job-UUID = instruction",
        repeat="the phone is asked again; one that has answered takes it for nothing",
        rechecks=(Recheck.LEASE, Recheck.OFFER),
        adoption=Adoption.FORGET,
        why="the offer is withdrawn by the restart; the agent is offered anew",
        deadline_ms=_QUICK_MS,
    ),
    i.BridgeLegs: Row(
        # AnswerCaller only queues its answer, and the leg looks at its queue every 20 ms. A phone that picks up by
        # itself can be faster, and a bridge with a caller who is not answered ends both legs (tried on a real switch).
        written="api uuid_answer LEG; bgapi uuid_bridge LEG OTHER, Job-UUID = instruction",
        repeat="the pair is taken apart and joined again: a gap that both hear",
        rechecks=(Recheck.LEASE, Recheck.OFFER),
        adoption=Adoption.LOOK_FIRST,
        why="both legs live and are not bridged: the agent has answered and waits",
        deadline_ms=_SIGNALLED_MS,
    ),
    i.ParkLeg: Row(
        written="api uuid_break LEG all; api uuid_park LEG",
        repeat="it is parked anew, and says so",
        rechecks=_LEASE,
        adoption=Adoption.LOOK_FIRST,
        why="the snapshot says whether the caller is still joined with somebody who is to go",
        deadline_ms=_QUICK_MS,
    ),
    i.ConferLeg: Row(
        written="api uuid_break LEG all; api uuid_transfer LEG conference:ROOM@ringledger,park inline",
        repeat="it leaves the room and comes in again, and says so",
        rechecks=_LEASE,
        adoption=Adoption.LOOK_FIRST,
        why="the snapshot says who is in the room already",
        deadline_ms=_QUICK_MS,
    ),
    i.KeepLeg: Row(
        written="api uuid_setvar LEG park_after_bridge true; api uuid_setvar LEG uuid_bridge_park_on_cancel true",
        repeat="nothing: the variables are the same",
        rechecks=_LEASE,
        adoption=Adoption.REPEAT,
        why="harmless, and an agent in the middle of a consultation must not be hung up",
        deadline_ms=_QUICK_MS,
    ),
    i.HoldLeg: Row(
        written="bgapi uuid_hold LEG, Job-UUID = instruction",
        repeat="refused: -ERR Operation failed",
        rechecks=_LEASE,
        adoption=Adoption.LOOK_FIRST,
        why="the snapshot says whether the leg is held",
        deadline_ms=_SIGNALLED_MS,
    ),
    i.ResumeLeg: Row(
        written="bgapi uuid_hold off LEG, Job-UUID = instruction",
        repeat="refused: -ERR Operation failed",
        rechecks=_LEASE,
        adoption=Adoption.LOOK_FIRST,
        why="the snapshot says whether the leg is held",
        deadline_ms=_SIGNALLED_MS,
    ),
    i.MuteLeg: Row(
        # As of a mask: two background jobs could overtake each other.
        written="api uuid_audio LEG start read mute 1",
        repeat="nothing: silence goes on",
        rechecks=_LEASE,
        adoption=Adoption.REPEAT,
        why="harmless, and nobody must be heard who believes not to be",
        deadline_ms=_QUICK_MS,
    ),
    i.UnmuteLeg: Row(
        written="api uuid_audio LEG stop",
        repeat="nothing: +OK of a leg that is heard, too",
        rechecks=_LEASE,
        adoption=Adoption.REPEAT,
        why="harmless; an agent who was heard all the time is not told again",
        deadline_ms=_QUICK_MS,
    ),
    i.SendDigits: Row(
        written="api uuid_send_dtmf LEG DIGITS",
        repeat="they are sent again",
        rechecks=_LEASE,
        adoption=Adoption.FORGET,
        why="nobody remembers which they were, and digits sent twice are wrong ones",
        deadline_ms=_QUICK_MS,
    ),
    i.HangUpLeg: Row(
        written="bgapi uuid_kill LEG CAUSE, Job-UUID = instruction",
        repeat="refused: -ERR No such channel!",
        rechecks=_LEASE,
        adoption=Adoption.REPEAT,
        why="a leg that should be gone and lives is hung up on sight",
        deadline_ms=_SIGNALLED_MS,
    ),
    i.StartRecording: Row(
        written="bgapi uuid_record LEG start FOLDER/FILE, Job-UUID = instruction",
        repeat="nothing: the same file goes on, no second RECORD_START; +OK of a file that is written already, too",
        rechecks=_LEASE,
        adoption=Adoption.REPEAT,
        why="harmless while the leg lives, and a talk without its recording cannot be had back",
        deadline_ms=_QUICK_MS,
    ),
    i.StopRecording: Row(
        written="bgapi uuid_record LEG stop FOLDER/FILE, Job-UUID = instruction",
        repeat="refused: -ERR Cannot stop record session!",
        rechecks=_LEASE,
        adoption=Adoption.REPEAT,
        why="whoever wanted it ended must not be recorded on, and a recording that has ended stays so",
        deadline_ms=_QUICK_MS,
    ),
    i.MaskRecording: Row(
        # No background job: two of those overtake each other, and a mask that overtakes its end would stay.
        written="api uuid_record LEG mask FOLDER/FILE",
        repeat="nothing: silence goes on being written",
        rechecks=_LEASE,
        adoption=Adoption.LOOK_FIRST,
        why="the log says what the switch has confirmed; what it has not is told again",
        deadline_ms=_QUICK_MS,
    ),
    i.UnmaskRecording: Row(
        written="api uuid_record LEG unmask FOLDER/FILE",
        repeat="nothing: sound goes on being written",
        rechecks=_LEASE,
        adoption=Adoption.LOOK_FIRST,
        why="as of a mask",
        deadline_ms=_QUICK_MS,
    ),
    i.AnnounceNumber: Row(
        written="api uuid_displace LEG start file_string://PROMPT.wav!PROMPT.wav… 0 mux, and the same for OTHER",
        repeat="refused while it is being spoken (-ERR Cannot displace session!); later it is spoken again",
        rechecks=_LEASE,
        adoption=Adoption.FORGET,
        why="whether it was heard cannot be known, and a number in the middle of a talk disturbs it",
        deadline_ms=_QUICK_MS,
    ),
    i.SayPlace: Row(
        written="api uuid_displace LEG start file_string://PROMPT.wav!PROMPT.wav",
        repeat="refused while it is being spoken (-ERR Cannot displace session!); later it is spoken again",
        rechecks=_LEASE,
        adoption=Adoption.FORGET,
        why="whether it was heard cannot be known, and the place is told again before long",
        deadline_ms=_QUICK_MS,
    ),
    i.HushPlace: Row(
        written="api uuid_displace LEG stop file_string://PROMPT.wav!PROMPT.wav",
        repeat="refused: -ERR Cannot stop displace session!, as where it has ended by itself",
        rechecks=_LEASE,
        adoption=Adoption.FORGET,
        why="a sentence is over before a restart is, and whoever joins the legs anew ends it first",
        deadline_ms=_QUICK_MS,
    ),
    i.EavesdropLeg: Row(
        written="uuid_setvar LEG eavesdrop_…; sendmsg LEG execute eavesdrop OTHER",
        repeat="nothing while it hears the talk: the second one begins once that is over, and ends at once",
        rechecks=_LEASE,
        adoption=Adoption.LOOK_FIRST,
        why="the log says what the switch has taken; what it has not is told again",
        deadline_ms=_QUICK_MS,
    ),
    i.SteerEavesdrop: Row(
        written="sendevent MESSAGE with Unique-ID LEG, eavesdrop-command 0 (listen), 2 (whisper) or 3 (barge)",
        repeat="nothing: it is heard as before",
        rechecks=_LEASE,
        adoption=Adoption.LOOK_FIRST,
        why="as of the eavesdropping itself",
        deadline_ms=_QUICK_MS,
    ),
    i.CheckLeg: Row(
        written="api uuid_exists LEG, on the second connection",
        repeat="the same answer, as of then",
        rechecks=(),
        adoption=Adoption.FORGET,
        why="a question changes nothing",
        deadline_ms=_QUICK_MS,
    ),
    i.MarkDrained: Row(
        written="api global_setvar ringledger_drained=yes (or nothing)",
        repeat="nothing: the variable is the same",
        rechecks=_LEASE,
        adoption=Adoption.REPEAT,
        why="a switch that was once told is told again at each connect",
        deadline_ms=_QUICK_MS,
    ),
    i.TakeSnapshot: Row(
        written="api status, api show channels as json, api uuid_dump of each leg, on the second connection",
        repeat="the one that is being made begins again",
        rechecks=(),
        adoption=Adoption.FORGET,
        why="every link that comes up brings a snapshot by itself",
        deadline_ms=_SNAPSHOT_MS,
    ),
}
