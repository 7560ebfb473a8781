"""Our configuration on a real switch: who is let in, who is not, and what phones are not allowed to do alone."""

import json
import os
import pwd
import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from freeswitch.directory import Phone
from tests.lab.caller import SippCaller
from tests.lab.control import Control, Event
from tests.lab.patience import until
from tests.lab.phone import BaresipPhone, OutsideNumbers, RefusingPhone, register, take_over
from tests.lab.ports import free_port
from tests.lab.switch import RealSwitch
from tests.postgres import make_reachable_directory

pytestmark = [pytest.mark.switch, pytest.mark.slow]


@pytest.fixture(scope="module")
def switch(freeswitch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    found = RealSwitch(tmp_path_factory.mktemp("switch"), binary=freeswitch, log_level="info")
    found.plan = replace(found.plan, trunk_peers=("127.0.0.1/32",))
    with found:
        yield found


@pytest.fixture
def control(switch: RealSwitch) -> Iterator[Control]:
    with switch.control() as control:
        control.subscribe("CHANNEL_CREATE CHANNEL_PARK CHANNEL_BRIDGE CHANNEL_HANGUP_COMPLETE BACKGROUND_JOB")
        yield control
        control.api("hupall")
        until(lambda: switch.channels(control) == 0, "the switch to have no channel left")


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that another user reaches. Pytest's own are closed to others anew whenever any run of it begins."""
    folder = make_reachable_directory()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def ring(control: Control, extension: str, leg: str) -> str:
    """Ring this phone; returns what the switch says when that is over."""
    job = control.background(
        f"originate {{origination_uuid={leg},originate_timeout=5}}user/{extension}@ringledger &park()"
    )
    return str(control.await_event("BACKGROUND_JOB", Job_UUID=job)["_body"]).strip()


def parked(control: Control, caller: SippCaller, known: Collection[str] = ()) -> str:
    """The leg on which this caller is parked, none of the known: a switch tells late of other tests' legs."""

    def is_new(event: Event) -> bool:
        ours = event["Event-Name"] == "CHANNEL_PARK" and event["Channel-Name"].endswith(f"@127.0.0.1:{caller.port}")
        return ours and event["Unique-ID"] not in known

    return str(control.await_that(is_new, f"the caller at port {caller.port} to be parked")["Unique-ID"])


def test_every_door_of_the_switch_opens_on_the_loopback_only(switch: RealSwitch) -> None:
    assert switch.child is not None
    mine = {str(f.readlink()) for f in Path(f"/proc/{switch.child.popen.pid}/fd").iterdir() if f.is_symlink()}
    inodes = {found[1] for link in mine if (found := re.fullmatch(r"socket:\[(\d+)\]", link))}
    doors = []
    for kind, listening in (("tcp", {"0A"}), ("tcp6", {"0A"}), ("udp", {"07"}), ("udp6", {"07"})):
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            words = line.split()
            if words[9] in inodes and words[3] in listening:
                doors.append((kind, words[1]))
    assert len(doors) >= 5, "event socket, and two SIP profiles on UDP and TCP"
    assert {(kind, address.split(":")[0]) for kind, address in doors} == {("tcp", "0100007F"), ("udp", "0100007F")}


def test_a_caller_from_outside_the_trunks_list_is_refused_and_never_seen(switch: RealSwitch, control: Control) -> None:
    with SippCaller(switch.home.parent, switch.plan.trunk_port, address="127.0.0.2", tone_hz=None) as stranger:
        account = stranger.await_end()
    assert account.refused == (403,)
    with SippCaller(switch.home.parent, switch.plan.trunk_port, tone_hz=None) as caller:
        leg = parked(control, caller)
        assert json.loads(control.api(f"uuid_dump {leg} json"))["Caller-Network-Addr"] == "127.0.0.1"
        caller.hang_up()


def test_a_phone_registers_with_its_own_password_and_name_only(switch: RealSwitch) -> None:
    own = switch.phone("1001")
    contact = f"127.0.0.1:{free_port()}"
    register(switch.home, own, switch.plan.sip_port, contact)
    with switch.control() as control:
        assert contact in control.api("sofia_contact internal/1001@ringledger")
    for stolen in (Phone("1001", "guessed"), Phone("1002", own.password), Phone("4242", own.password)):
        with pytest.raises(AssertionError, match="did not register"):
            register(switch.home, stolen, switch.plan.sip_port, f"127.0.0.1:{free_port()}")
    register(switch.home, own, switch.plan.sip_port, contact, expires_s=0)


def test_nobody_registers_where_callers_arrive(switch: RealSwitch) -> None:
    with pytest.raises(AssertionError, match="did not register"):
        register(switch.home, switch.phone("1001"), switch.plan.trunk_port, f"127.0.0.1:{free_port()}")


def test_a_phone_that_dials_by_itself_is_parked_where_it_is_seen(switch: RealSwitch, control: Control) -> None:
    with BaresipPhone(switch.home.parent, switch.phone("1002"), switch.plan.sip_port) as phone:
        phone.command("dial", f"sip:0044123456@127.0.0.1:{switch.plan.sip_port}")
        seen = control.await_event("CHANNEL_PARK", Caller_Context="ringledger-agents")
        assert seen["Caller-Destination-Number"] == "0044123456"
        assert seen["Caller-Username"] == "1002"
        control.api(f"uuid_kill {seen['Unique-ID']} CALL_REJECTED")
        phone.await_count("CALL_CLOSED", 1)


def test_a_phone_that_redirects_is_rung_once_and_sends_nobody_anywhere(switch: RealSwitch, control: Control) -> None:
    with RefusingPhone(switch.home.parent, switch.phone("1003"), switch.plan.sip_port, 302) as phone:
        assert ring(control, "1003", "redirected-leg") == "-ERR REQUESTED_CHAN_UNAVAIL"
        assert phone.rung == 1
    created = [event["Unique-ID"] for event in control.drain(0.2) if event["Event-Name"] == "CHANNEL_CREATE"]
    assert created == ["redirected-leg"]


@pytest.mark.parametrize("where", ("a colleague", "an outside host"))
def test_a_phone_cannot_transfer_its_caller_away(switch: RealSwitch, control: Control, where: str) -> None:
    """Bad input of call control: a phone that sends REFER, to a colleague or to a host outside, is refused."""
    port = switch.plan.sip_port
    target = f"sip:1002@127.0.0.1:{port}" if where == "a colleague" else f"sip:13800@127.0.0.1:{switch.outside_port}"
    with (
        OutsideNumbers(switch.home.parent / "outside-refer", switch.outside_port) as outside,
        BaresipPhone(switch.home.parent, switch.phone("1001"), port) as phone,
        SippCaller(switch.home.parent, switch.plan.trunk_port) as caller,
    ):
        leg = parked(control, caller)
        control.execute(leg, "answer")
        caller.await_answer()
        assert ring(control, "1001", "transferring-leg").startswith("+OK")
        control.background(f"uuid_bridge {leg} transferring-leg")
        control.await_event("CHANNEL_BRIDGE")
        phone.command("transfer", target)
        phone.await_count("TRANSFER_FAILED", 1)
        # A phone may hang up when it is refused (this one does); its caller is still here, and nobody else was called.
        control.api("uuid_kill transferring-leg")
        control.await_event("CHANNEL_HANGUP_COMPLETE", Unique_ID="transferring-leg")
        assert parked(control, caller) == leg
        assert control.api(f"uuid_getvar {leg} destination_number").strip() == "4000"
        called = [event["Channel-Name"] for event in control.drain(0.2) if event["Event-Name"] == "CHANNEL_CREATE"]
        assert [name for name in called if "1002" in name or "13800" in name] == []
        assert outside.rung == 0
        until(lambda: switch.channels(control) == 1, "nobody but the caller to be left")
        caller.hang_up()


@pytest.mark.parametrize("header", ("", "Call-Info: <sip:ringledger>;appearance-index=1"), ids=("whole", "as a third"))
def test_a_phone_cannot_take_over_the_call_of_another_nor_listen_to_it(
    switch: RealSwitch, control: Control, header: str
) -> None:
    """INVITE with Replaces goes past every dialplan: whoever overheard a Call-ID could have the caller."""
    port, leg_of_agent = switch.plan.sip_port, f"talking-leg-{len(header)}"
    control.subscribe("MEDIA_BUG_START")
    with (
        BaresipPhone(switch.home.parent, switch.phone("1001"), port),
        SippCaller(switch.home.parent, switch.plan.trunk_port) as caller,
    ):
        leg = parked(control, caller)
        control.execute(leg, "answer")
        caller.await_answer()
        assert ring(control, "1001", leg_of_agent).startswith("+OK")
        control.background(f"uuid_bridge {leg} {leg_of_agent}")
        control.await_event("CHANNEL_BRIDGE")
        for wanted in (leg_of_agent, leg):
            call_id = control.api(f"uuid_getvar {wanted} sip_call_id").strip()
            assert take_over(switch.home.parent, switch.phone("1002"), port, call_id, header=header)
        happened = [event["Event-Name"] for event in control.drain(0.2)]
        assert "CHANNEL_UNBRIDGE" not in happened
        assert "MEDIA_BUG_START" not in happened, "nobody listens"
        assert control.api(f"uuid_getvar {leg} bridge_uuid").strip() == leg_of_agent
        assert switch.channels(control) == 2
        caller.hang_up()


def test_a_call_that_ends_while_its_recording_begins_leaves_no_channel_behind(
    switch: RealSwitch, control: Control
) -> None:
    """docs/decisions/0021: with the switch's own recording thread some of these legs stay for ever."""
    calls = 40
    seen: set[str] = set()

    with (
        BaresipPhone(switch.home.parent, switch.phone("1001"), switch.plan.sip_port),
        SippCaller(switch.home.parent, switch.plan.trunk_port, calls=calls, per_second=10) as callers,
    ):
        for number in range(calls):
            leg = parked(control, callers, seen)
            seen.add(leg)
            other = f"recorded-{number}"
            assert ring(control, "1001", other).startswith("+OK")
            control.api(f"uuid_answer {leg}")
            control.background(f"uuid_bridge {leg} {other}")
            control.await_event("CHANNEL_BRIDGE")
            for part in range(6):  # each begins for about 10 ms: the end comes while some of them do
                control.background(f"uuid_record {leg} start {switch.plan.recordings / other}-{part}.wav")
            control.background(f"uuid_kill {leg}")
            control.background(f"uuid_kill {other}")
            control.await_event("CHANNEL_HANGUP_COMPLETE", Unique_ID=leg)
        assert callers.await_end().was_hung_up == calls
    until(lambda: switch.channels(control) == 0, "the switch to have no channel left")


def test_the_switch_takes_new_phones_while_it_runs(switch: RealSwitch) -> None:
    from freeswitch.render import render_directory

    newcomer = Phone("1099", "a-new-password-of-its-own")
    render_directory(switch.home, [*switch.plan.phones, newcomer])
    with switch.control() as control:
        assert control.api("reloadxml").startswith("+OK")
    register(switch.home, newcomer, switch.plan.sip_port, f"127.0.0.1:{free_port()}")


def test_no_password_of_a_phone_reaches_the_disk_of_the_switch(switch: RealSwitch) -> None:
    written = b"".join(
        file.read_bytes() for file in switch.home.rglob("*") if file.is_file() and "register" not in file.name
    )
    for phone in switch.plan.phones:
        assert phone.password.encode() not in written
    with switch.control() as control:
        assert control.api("global_getvar esl_password").strip() == "used"
    assert switch.home.joinpath("log").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_the_switch_runs_as_a_plain_user(freeswitch: Path, reachable: Path) -> None:
    with RealSwitch(reachable, binary=freeswitch, user="nobody") as found, found.control() as control:
        assert found.child is not None
        assert "is ready" in control.api("status")
        assert Path(f"/proc/{found.child.popen.pid}").stat().st_uid == pwd.getpwnam("nobody").pw_uid
