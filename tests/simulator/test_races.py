"""What becomes of two legs when something happens in between: as a real FreeSWITCH did it in the laboratory.

Complaint 5 (agent rung after the caller hung up; ghost calls) lives here: the product must survive what these tests
show the switch to do.
"""

import pytest

from freeswitch.simulator import Options
from freeswitch.simulator.dialplan import Dialplan, Rule
from tests.simulator.stage import Stage

BARE = Options(
    write_recordings=False,
    poll_ms=0,
    dialplan=Dialplan((Rule("ringledger-inbound", "^.*$", (("park", ""),)),)),
    directory_variables={},
)
"""A switch without any of our variables: what happens by default."""

SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_agent_s_leg_killed_before_the_bridge_command_leaves_the_caller_parked(seed: int) -> None:
    stage = Stage(BARE, seed=seed)
    caller, agent = stage.answered_caller(), stage.agent()
    stage.api(f"uuid_kill {agent}")
    assert stage.job(f"uuid_bridge {caller} {agent}") == "-ERR Invalid uuid\n"
    stage.run(1_000)
    assert list(stage.model.switch.legs) == [caller]
    assert stage.names(caller)[-1] == "CHANNEL_EXECUTE_COMPLETE"  # of `answer`: it waits on


@pytest.mark.parametrize("seed", SEEDS)
def test_an_agent_s_leg_killed_just_after_the_bridge_command_takes_the_caller_along(seed: int) -> None:
    """By default; two causes were seen, by how much of the agent's leg was left when the caller looked."""
    stage = Stage(BARE, seed=seed)
    caller, agent = stage.answered_caller(), stage.agent()
    assert stage.api(f"uuid_bridge {caller} {agent}") == f"+OK {agent}\n"
    stage.api(f"uuid_kill {agent}")
    assert stage.cause(caller) in {"DESTINATION_OUT_OF_ORDER", "ORIGINATOR_CANCEL"}
    assert "CHANNEL_BRIDGE" not in stage.names(caller)
    stage.run(200)
    assert stage.legs == 0


@pytest.mark.parametrize("after_ms", (0, 5, 10, 20, 30, 40, 60))
@pytest.mark.parametrize("seed", SEEDS)
def test_with_our_configuration_the_caller_is_parked_again_whenever_the_agent_leaves(seed: int, after_ms: int) -> None:
    """park_after_bridge and uuid_bridge_park_on_cancel of our dialplan: never left to chance."""
    stage = Stage(seed=seed)
    caller, agent = stage.answered_caller(), stage.agent()
    stage.api(f"uuid_bridge {caller} {agent}")
    stage.run(after_ms)
    before = len(stage.told)
    stage.api(f"uuid_kill {agent}")
    stage.until_told("CHANNEL_PARK", caller, since=before)
    stage.run(500)
    assert list(stage.model.switch.legs) == [caller]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_caller_killed_just_after_the_bridge_command_leaves_the_agent_in_limbo_without_a_word(seed: int) -> None:
    """The real switch left the agent's leg in CS_RESET for as long as anybody looked: a ghost that only we can end."""
    stage = Stage(seed=seed)
    caller, agent = stage.answered_caller(), stage.agent()
    stage.api(f"uuid_bridge {caller} {agent}")
    stage.api(f"uuid_kill {caller}")
    stage.run(60_000)
    assert list(stage.model.switch.legs) == [agent]
    told = [event for event in stage.told if event.lane == agent]
    assert (told[-1].name, told[-1].get("Channel-State")) == ("CHANNEL_STATE", "CS_RESET")
    assert stage.api(f"uuid_kill {agent}") == "+OK\n"
    assert stage.cause(agent) == "NORMAL_CLEARING"


@pytest.mark.parametrize("swapped", (False, True))
def test_two_jobs_given_at_once_may_run_in_either_order(*, swapped: bool) -> None:
    """Each bgapi runs in a thread of its own: a client that needs an order must wait for the first one's end."""
    orders = set()
    for seed in range(40):
        stage = Stage(seed=seed)
        caller, agent = stage.answered_caller(), stage.agent()
        commands = [f"uuid_bridge {caller} {agent}", f"uuid_kill {agent}"]
        for command in reversed(commands) if swapped else commands:
            stage.background(command)
        stage.run(50)
        orders.add(tuple(event.get("Job-Command") for event in stage.told if event.name == "BACKGROUND_JOB")[1:])
    assert orders == {("uuid_bridge", "uuid_kill"), ("uuid_kill", "uuid_bridge")}


def test_a_leg_bridged_while_it_rings_ends_with_both_legs_dead() -> None:
    stage = Stage(BARE)
    caller = stage.answered_caller()
    stage.phone("1001", behaviour="no_answer")
    job = stage.background("originate {origination_uuid=leg}user/1001@ringledger &park()")
    stage.until_told("CHANNEL_PROGRESS", "leg")
    assert stage.api(f"uuid_bridge {caller} leg") == "+OK leg\n"
    assert stage.cause("leg") == "DESTINATION_OUT_OF_ORDER"
    assert stage.cause(caller) == "ORIGINATOR_CANCEL"
    assert stage.until(lambda event: event.get("Job-UUID") == job).body == "-ERR ORIGINATOR_CANCEL\n"


def test_a_caller_who_was_never_answered_cannot_be_bridged() -> None:
    """The switch then turns the pair round and kills both: the caller must be answered first."""
    stage = Stage(BARE)
    caller, agent = stage.caller(), stage.agent()
    assert stage.api(f"uuid_bridge {caller} {agent}") == f"+OK {agent}\n"
    assert stage.cause(caller) == "DESTINATION_OUT_OF_ORDER"
    assert stage.cause(agent) == "ORIGINATOR_CANCEL"


def test_a_caller_who_hangs_up_while_the_phone_rings_leaves_the_phone_ringing() -> None:
    stage = Stage()
    caller = stage.answered_caller()
    stage.phone("1001", answer_after_ms=3_000)
    stage.background("originate {origination_uuid=leg,originate_timeout=20}user/1001@ringledger &park()")
    stage.until_told("CHANNEL_PROGRESS", "leg")
    stage.model.hang_up(caller, stage.now)
    assert stage.cause(caller) == "NORMAL_CLEARING"
    stage.until_told("CHANNEL_PARK", "leg")
    assert stage.job(f"uuid_bridge {caller} leg") == "-ERR Invalid uuid\n"


@pytest.mark.parametrize("who", ("caller", "agent"))
def test_a_hang_up_of_either_end_of_a_talk_is_told_of_both(who: str) -> None:
    stage = Stage(BARE)
    caller, agent = stage.talk()
    stage.run(500)
    stage.model.hang_up(caller if who == "caller" else agent, stage.now)
    assert stage.cause(caller) == stage.cause(agent) == "NORMAL_CLEARING"
    assert stage.names(caller).count("CHANNEL_UNBRIDGE") == 1
    assert "CHANNEL_UNBRIDGE" not in stage.names(agent)
    stage.run(200)
    assert stage.legs == 0


def test_an_agent_who_hangs_up_while_holding_takes_the_caller_along_by_default() -> None:
    stage = Stage(BARE)
    caller, agent = stage.talk()
    stage.api(f"uuid_setvar {caller} park_after_bridge true")
    stage.job(f"uuid_hold {agent}")
    stage.run(500)
    stage.model.hang_up(agent, stage.now)
    assert stage.cause(caller) == "NORMAL_CLEARING"


def test_an_agent_who_hangs_up_while_holding_leaves_our_caller_parked() -> None:
    """hold_hangup_xfer_exten of our dial string, and the caller's own park_after_bridge, which is looked at first."""
    stage = Stage()
    caller, agent = stage.talk()
    stage.job(f"uuid_hold {agent}")
    stage.run(500)
    before = len(stage.told)
    stage.model.hang_up(agent, stage.now)
    stage.until_told("CHANNEL_PARK", caller, since=before)
    assert stage.names(agent, since=before)[:3] == ["CHANNEL_CALLSTATE", "CHANNEL_UNHOLD", "CHANNEL_HANGUP"]


def test_the_held_caller_hears_music_until_resumed() -> None:
    stage = Stage()
    caller, agent = stage.talk()
    stage.run(100)
    stage.job(f"uuid_hold {agent}")
    stage.until_told("CHANNEL_HOLD", agent)
    music = stage.until_told("PLAYBACK_START", caller)
    assert music.get("Playback-File-Path") == "local_stream://ringledger"
    before = len(stage.told)
    stage.job(f"uuid_hold off {agent}")
    assert stage.until_told("PLAYBACK_STOP", caller, since=before).get("Playback-Status") == "break"
    stage.until_told("CHANNEL_UNHOLD", agent, since=before)
    stage.until(lambda event: event.lane == agent and event.get("Channel-Call-State") == "ACTIVE", since=before)


@pytest.mark.parametrize(("held_ms", "stuck"), ((0, True), (30, True), (300, False), (2_000, False)))
def test_a_hold_that_is_over_before_its_music_began_leaves_the_caller_with_the_music(
    held_ms: int, *, stuck: bool
) -> None:
    """The real switch does not take back music that is ordered and not yet heard: resume no sooner than that."""
    stage = Stage()
    caller, agent = stage.talk()
    stage.run(100)
    stage.job(f"uuid_hold {agent}")
    stage.run(held_ms)
    assert stage.job(f"uuid_hold off {agent}") == "+OK Success\n"
    stage.run(5_000)
    heard = [event.name for event in stage.told if event.lane == caller and event.name.startswith("PLAYBACK")]
    assert heard == (["PLAYBACK_START"] if stuck else ["PLAYBACK_START", "PLAYBACK_STOP"])
    assert stage.api(f"uuid_break {caller} all") == "+OK\n"
    stage.until_told("PLAYBACK_STOP", caller)


@pytest.mark.parametrize(("after_ms", "lost"), ((30, True), (60, True), (120, True), (300, False)))
def test_an_agent_who_holds_and_hangs_up_at_once_leaves_the_caller_with_music_and_without_a_word(
    after_ms: int, *, lost: bool
) -> None:
    """The real switch told neither CHANNEL_UNBRIDGE nor CHANNEL_PARK, and never destroyed the agent's leg."""
    stage = Stage()
    caller, agent = stage.talk()
    stage.run(500)
    stage.job(f"uuid_hold {agent}")
    stage.run(after_ms)
    before = len(stage.told)
    stage.model.hang_up(agent, stage.now)
    stage.until_told("CHANNEL_HANGUP_COMPLETE", agent)
    stage.run(30_000)
    assert stage.api(f"uuid_exists {agent}") == "false"
    assert ("CHANNEL_PARK" not in stage.names(caller, since=before)) == lost
    assert ("CHANNEL_DESTROY" not in stage.names(agent)) == lost
    if lost:
        assert stage.api(f"uuid_break {caller} all") == "+OK\n"
        stage.until_told("CHANNEL_PARK", caller, since=before)


def test_a_hold_just_after_the_bridge_is_heard_only_when_the_bridge_has_settled() -> None:
    """So a hold and a resume within 200 ms of the bridge leave the caller with music, too."""
    stage = Stage()
    caller, agent = stage.talk()
    began = stage.now
    stage.run(30)
    stage.job(f"uuid_hold {agent}")
    stage.until_told("PLAYBACK_START", caller)
    assert 300_000 <= stage.now - began < 400_000


def test_a_transferred_caller_takes_its_next_way_and_says_so() -> None:
    stage = Stage()
    caller, agent = stage.talk()
    before = len(stage.told)
    assert stage.api(f"uuid_transfer {caller} 4002 XML ringledger-inbound") == "+OK\n"
    parked = stage.until_told("CHANNEL_PARK", caller, since=before)
    assert parked.get("Caller-Destination-Number") == "4002"
    apart = stage.until_told("CHANNEL_UNBRIDGE", caller, since=before)
    assert apart.get("variable_transfer_source").endswith(":bl_xfer:4002/ringledger-inbound/XML")
    assert stage.cause(agent) == "NORMAL_CLEARING"


def test_a_number_that_no_rule_knows_ends_without_a_route() -> None:
    stage = Stage()
    caller = stage.answered_caller()
    stage.api(f"uuid_transfer {caller} 1 XML nowhere")
    assert stage.cause(caller) == "NO_ROUTE_DESTINATION"


def test_a_ringing_phone_told_to_talk_answers_if_it_obeys() -> None:
    for obeys in (True, False):
        stage = Stage()
        stage.phone("1001", behaviour="no_answer", obeys_talk=obeys)
        stage.background("originate {origination_uuid=leg,originate_timeout=3}user/1001@ringledger &park()")
        stage.until_told("CHANNEL_PROGRESS", "leg")
        assert stage.api("uuid_phone_event leg talk") == "+OK Success\n"
        stage.run(4_000)
        assert ("CHANNEL_ANSWER" in stage.names("leg")) == obeys
