"""Two simulated switches in virtual time, and the datagrams between two real ones (decision 0072)."""

import json
import socket

from freeswitch.simulator import Caller, Options, Phone
from freeswitch.simulator.peering import Peering
from tests.lab.ports import free_port
from tests.simulator.stage import Stage

LEG = "00000000-0000-4000-8000-000000000001"


class Two:
    """A caller's switch and a phone's one; time passes for both together, messages go across at once."""

    def __init__(self, **phone: object) -> None:
        self.here, self.there = (
            Stage(Options(write_recordings=False, poll_ms=0, peers=(peer,)), seed=seed)
            for seed, peer in ((1, "there"), (2, "here"))
        )
        self.there.model.phone(Phone(extension="1001", **phone), self.there.now)  # type: ignore[arg-type]  # its script

    def run(self, ms: int) -> None:
        for _ in range(ms):
            for side, other, name in ((self.here, self.there, "here"), (self.there, self.here, "there")):
                side.run(1)
                for _, message in side.model.to_peers():
                    other.model.from_peer(name, message, other.now)

    def ring(self) -> None:
        dialled = f"{{origination_uuid={LEG}}}sofia/gateway/node-there/1001~{LEG}"
        self.here.model.command(f"bgapi originate {dialled} &park()", self.here.now)


def test_a_leg_rings_answers_and_ends_on_both_sides() -> None:
    two = Two(answer_after_ms=200)
    two.ring()
    two.run(100)
    near = two.here.model.switch.legs[LEG]
    assert (near.callstate, near.answered) == ("RINGING", False)
    assert set(two.there.model.switch.legs) >= {f"{LEG}-phone"}
    two.run(300)
    assert near.answered
    two.there.model.hang_up(f"{LEG}-phone", two.there.now)
    two.run(300)
    assert not two.here.model.switch.legs
    assert not two.there.model.switch.legs
    assert near.get("sip_hangup_disposition") == "recv_bye"
    assert near.get("sip_reason") == 'Q.850;cause=16;text="NORMAL_CLEARING"'


def test_a_switch_that_shuts_down_says_so_in_the_reason_of_its_bye_and_not_by_the_cause() -> None:
    """As FreeSWITCH 1.11.1: Q.850 has no number for it."""
    two = Two(answer_after_ms=200)
    two.ring()
    two.run(400)
    near = two.here.model.switch.legs[LEG]
    two.there.model.command("api fsctl shutdown", two.there.now)
    two.run(300)
    assert (near.up, near.cause, near.get("sip_hangup_disposition")) == (False, "NORMAL_CLEARING", "recv_bye")
    assert near.get("sip_reason") == 'SIP;cause=701;text="SYSTEM_SHUTDOWN"'


def test_a_busy_phone_refuses_across_and_a_ring_that_is_taken_back_falls_silent() -> None:
    two = Two(behaviour="busy")
    two.ring()
    near = None
    for _ in range(200):
        near = two.here.model.switch.legs.get(LEG, near)
        two.run(1)
    assert near is not None
    assert near.cause == "USER_BUSY"
    two = Two(behaviour="no_answer")
    two.ring()
    two.run(100)
    two.here.model.command(f"bgapi uuid_kill {LEG}", two.here.now)
    two.run(300)
    assert not two.there.model.switch.legs


def test_a_drained_switch_refuses_callers_and_goes_on_ringing_phones_for_others() -> None:
    two = Two(behaviour="no_answer")
    two.there.model.command("api global_setvar ringledger_drained=yes", two.there.now)
    leg = two.there.model.call(Caller(dialled="4000"), two.there.now)
    refused = two.there.model.switch.legs[leg]
    two.ring()
    two.run(200)
    assert refused.cause == "SWITCH_CONGESTION"
    assert f"{LEG}-phone" in two.there.model.switch.legs


def test_a_number_of_another_shape_is_refused() -> None:
    """Law 10."""
    two = Two()
    two.there.model.from_peer("here", {"call": "x", "does": "invite", "dialled": "1001"}, two.there.now)
    two.there.run(100)
    assert not two.there.model.switch.legs
    assert two.there.model.to_peers() == [("here", {"call": "x", "does": "end", "cause": "CALL_REJECTED", "sip": 480})]


def test_a_message_is_taken_from_the_other_switches_alone() -> None:
    ours, theirs = free_port(), free_port()
    here = Peering("here", ("127.0.0.1", ours), {"there": ("127.0.0.1", theirs)})
    there = Peering("there", ("127.0.0.1", theirs), {"here": ("127.0.0.1", ours)})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        for words in (b'{"from": "here", "call": "x", "does": "invite"}', b"\xff", b"[]"):
            stranger.sendto(words, ("127.0.0.1", theirs))
        stranger.sendto(json.dumps({"from": "nobody"}).encode(), ("127.0.0.1", theirs))
    here.send("there", {"call": "y", "does": "ring"})
    assert list(there.received()) == [("here", {"from": "here", "call": "y", "does": "ring"})]
    for each in (here, there):
        each.close()
