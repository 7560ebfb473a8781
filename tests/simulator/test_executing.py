"""Applications on a leg, and the queue of instructions that `sendmsg` fills: as a real FreeSWITCH worked it off."""

from pathlib import Path

import pytest

from freeswitch.simulator import Options
from freeswitch.simulator.dialplan import Dialplan, configured
from tests.simulator.stage import Stage


def told(stage: Stage, leg: str, since: int) -> list[str]:
    """What happened, in short: events of this leg, executions with their application."""
    return [
        f"{event.name.removeprefix('CHANNEL_')} {event.get('Application')}".strip()
        for event in stage.told[since:]
        if event.lane == leg and event.name not in {"CHANNEL_STATE", "CHANNEL_CALLSTATE"}
    ]


def test_a_caller_is_parked_unanswered_with_what_our_dialplan_sets() -> None:
    stage = Stage()
    leg = stage.caller(dialled="4008001001")
    parked = stage.until_told("CHANNEL_PARK", leg)
    assert parked.get("Answer-State") == "ringing"
    assert parked.get("variable_RECORD_STEREO") == "true"
    assert parked.get("variable_park_after_bridge") == "true"
    assert parked.get("variable_hold_music").startswith("local_stream://")
    assert "CHANNEL_PROGRESS_MEDIA" not in stage.names(leg)


def test_the_rules_are_those_of_the_real_switch_s_configuration() -> None:
    contexts = {rule.context for rule in configured()}
    assert {"ringledger-inbound", "ringledger-agents"} <= contexts
    actions = Dialplan().route("ringledger-inbound", "anything\nat all", lambda _: "")
    assert actions[-1] == ("park", "")
    assert not any("$${" in argument for _, argument in actions)


def test_a_rule_may_look_at_a_variable_and_fill_in_what_its_pattern_found() -> None:
    plan = Dialplan()
    drained = {"ringledger_drained": "yes"}.get
    assert plan.route("ringledger-inbound", "4000", lambda name: drained(name, "")) == (
        ("hangup", "SWITCH_CONGESTION"),
    )
    leg = "00000000-0000-4000-8000-000000000001"
    actions = plan.route("ringledger-nodes", f"1001~{leg}", lambda _: "")
    assert actions[-1] == ("bridge", f"{{origination_uuid={leg}-phone}}user/1001@ringledger")
    assert plan.route("ringledger-nodes", "1001", lambda _: "") == (("hangup", "CALL_REJECTED"),)


def test_a_condition_that_the_simulator_cannot_judge_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "dialplan.xml"
    condition = '<condition field="caller_id_name" expression="x"/>'
    file.write_text(f'<context name="a"><extension>{condition}</extension></context>')
    with pytest.raises(ValueError, match=r"'caller_id_name': teach dialplan\.py"):
        configured(file)


def test_an_instruction_without_a_lock_lets_the_next_one_begin_inside_it() -> None:
    """`hangup` sent behind an unlocked `playback` cut the apology off on the real switch."""
    stage = Stage()
    leg = stage.answered_caller()
    stage.run(100)
    began, before = stage.now, len(stage.told)
    stage.execute(leg, "playback", "apology.wav", locked=False)
    stage.execute(leg, "hangup", "NORMAL_CLEARING", locked=False)
    stage.until_told("CHANNEL_HANGUP_COMPLETE", leg)
    assert stage.now - began < 500_000
    assert told(stage, leg, before)[:12] == [
        "EXECUTE playback",
        "PLAYBACK_START",
        "EXECUTE hangup",
        "HANGUP",
        "EXECUTE_COMPLETE hangup",
        "PRIVATE_COMMAND",
        "PLAYBACK_STOP",
        "EXECUTE_COMPLETE playback",
        "PRIVATE_COMMAND",
        "UNPARK",
        "EXECUTE_COMPLETE park",
        "HANGUP_COMPLETE",
    ]


def test_instructions_with_a_lock_follow_one_another() -> None:
    stage = Stage()
    leg = stage.answered_caller()
    began, before = stage.now, len(stage.told)
    stage.execute(leg, "playback", "apology.wav")
    stage.execute(leg, "hangup", "NORMAL_CLEARING")
    stage.until_told("CHANNEL_HANGUP_COMPLETE", leg)
    assert 2_000_000 <= stage.now - began < 2_300_000
    assert told(stage, leg, before)[:6] == [
        "EXECUTE_COMPLETE answer",
        "PRIVATE_COMMAND",
        "EXECUTE playback",
        "PLAYBACK_START",
        "PLAYBACK_STOP",
        "EXECUTE_COMPLETE playback",
    ] or told(stage, leg, before)[:5] == [
        "EXECUTE_COMPLETE answer",
        "EXECUTE playback",
        "PLAYBACK_START",
        "PLAYBACK_STOP",
        "EXECUTE_COMPLETE playback",
    ]


@pytest.mark.parametrize("locked", (False, True))
def test_the_apology_interrupts_the_music_and_is_heard_to_its_end(*, locked: bool) -> None:
    stage = Stage()
    leg = stage.answered_caller()
    stage.execute(leg, "playback", "local_stream://ringledger", locked=locked)
    stage.until_told("PLAYBACK_START", leg)
    stage.run(1_000)
    before, began = len(stage.told), stage.now
    assert stage.api(f"uuid_break {leg} all") == "+OK\n"
    stage.execute(leg, "playback", "apology.wav")
    stage.execute(leg, "hangup", "NORMAL_CLEARING")
    assert stage.cause(leg) == "NORMAL_CLEARING"
    assert stage.now - began >= 2_000_000
    stops = [event.get("Playback-Status") for event in stage.told[before:] if event.name == "PLAYBACK_STOP"]
    assert stops == ["break", "done"]


def test_a_second_playback_inside_an_endless_one_ends_and_the_first_goes_on() -> None:
    stage = Stage()
    leg = stage.answered_caller()
    stage.execute(leg, "playback", "local_stream://ringledger", locked=False)
    stage.run(500)
    stage.execute(leg, "playback", "apology.wav", locked=False)
    stage.run(4_000)
    stops = [event for event in stage.told if event.name == "PLAYBACK_STOP"]
    assert [event.get("Playback-File-Path") for event in stops] == ["apology.wav"]
    stage.api(f"uuid_break {leg}")
    stage.until(lambda event: event.name == "PLAYBACK_STOP" and event.get("Playback-Status") == "break")


def test_a_bridge_ends_the_music() -> None:
    stage = Stage()
    caller = stage.answered_caller()
    stage.execute(caller, "playback", "local_stream://ringledger")
    agent = stage.agent()
    stage.background(f"uuid_bridge {caller} {agent}")
    stage.until_told("CHANNEL_BRIDGE", caller)
    assert stage.until_told("PLAYBACK_STOP", caller).get("Playback-Status") == "done"


def test_music_for_an_unanswered_caller_is_early_media() -> None:
    stage = Stage()
    leg = stage.caller()
    stage.execute(leg, "playback", "local_stream://ringledger")
    stage.until_told("PLAYBACK_START", leg)
    assert stage.until_told("CHANNEL_PROGRESS_MEDIA", leg).get("Answer-State") == "early"
    assert stage.api(f"uuid_answer {leg}") == "+OK\n"
    assert stage.until_told("CHANNEL_ANSWER", leg).get("Answer-State") == "answered"


def test_a_file_that_is_not_there_is_not_played_and_nothing_else_happens() -> None:
    stage = Stage()
    leg = stage.answered_caller()
    before = len(stage.told)
    stage.execute(leg, "playback", "/nowhere/at-all.wav")
    done = stage.until(
        lambda event: event.name == "CHANNEL_EXECUTE_COMPLETE" and event.get("Application") == "playback", since=before
    )
    assert done.get("Application-Response") == "FILE NOT FOUND"
    assert "PLAYBACK_START" not in stage.names(leg)
    assert stage.legs == 1


def test_an_application_that_does_not_exist_ends_the_leg() -> None:
    stage = Stage()
    leg = stage.answered_caller()
    stage.execute(leg, "nosuchapp", "x")
    assert stage.cause(leg) == "DESTINATION_OUT_OF_ORDER"


def test_an_instruction_for_a_leg_that_is_gone_is_refused() -> None:
    stage = Stage()
    assert stage.say("sendmsg nope\ncall-command: execute\nexecute-app-name: answer") == (
        "-ERR invalid session id [nope]"
    )


def test_keys_are_told_one_a_tick_with_their_source() -> None:
    stage = Stage()
    leg = stage.answered_caller()
    stage.run(100)
    assert stage.api(f"uuid_recv_dtmf {leg} 34") == f"+OK {leg} received DTMF 34.\n"
    stage.model.press(leg, "5", stage.now)
    stage.run(100)
    keys = [event for event in stage.told if event.name == "DTMF"]
    assert [(key.get("DTMF-Digit"), key.get("DTMF-Source"), key.get("DTMF-Duration")) for key in keys] == [
        ("3", "APP", "2000"),
        ("4", "APP", "2000"),
        ("5", "RTP", "2000"),
    ]
    assert len({key.get("Event-Date-Timestamp") for key in keys}) == 3


def test_a_parked_leg_with_a_time_limit_is_hung_up_with_its_cause() -> None:
    stage = Stage()
    leg = stage.caller()
    stage.api(f"uuid_setvar {leg} park_timeout 3:NO_USER_RESPONSE")
    began = stage.now
    stage.api(f"uuid_park {leg}")
    assert stage.cause(leg) == "NO_USER_RESPONSE"
    assert 3_000_000 <= stage.now - began < 3_200_000


def test_the_late_negotiation_of_another_profile_answers_with_early_media_first() -> None:
    stage = Stage(Options(write_recordings=False, poll_ms=0, late_negotiation=True))
    leg = stage.answered_caller()
    names = stage.names(leg)
    assert names.index("CHANNEL_PROGRESS_MEDIA") < names.index("CHANNEL_ANSWER")
