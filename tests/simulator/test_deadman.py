"""The dead-man's switch: callers whom no orchestrator serves are served by the switch itself (feature 12.3)."""

import json
from pathlib import Path
from urllib.parse import unquote

from freeswitch.simulator import Caller, Options, Phone
from freeswitch.simulator.bus import Event
from orchestrator.domain.kernel import Instant
from orchestrator.service.importing import Here, read
from tests.simulator.stage import Stage

PATIENCE_S = 5
RINGS_AT_ONCE = "user/1001@ringledger,user/1002@ringledger"


def stage(folder: Path | None = None, *, swept_per_s: int = 10, node: str = "", seed: int = 1) -> Stage:
    return Stage(
        Options(
            write_recordings=False,
            poll_ms=0,
            patience_s=PATIENCE_S,
            swept_per_s=swept_per_s,
            fallback=RINGS_AT_ONCE,
            unattended=str(folder or ""),
            node=node,
        ),
        seed=seed,
    )


def alive(on: Stage) -> None:
    on.api("global_setvar ringledger_alive=yes")


def taken(on: Stage) -> list[str]:
    """The legs that the switch serves by itself, in the order in which it took them."""
    return [event.lane for event in on.told if event.name == "CUSTOM" and _is_taken(event)]


def _is_taken(event: Event) -> bool:
    return event.headers.get("Event-Subclass") == "ringledger::unattended"


def test_an_engine_that_is_full_keeps_who_waits_and_leaves_who_comes_to_the_switch() -> None:
    """Feature 12.2: past the spool's limit new callers are served by the switch, and nobody is taken out of a queue."""
    on = stage()
    waiting = on.model.call(Caller(dialled="4001"), on.now)
    for _ in range(3 * PATIENCE_S):
        on.api("global_setvar ringledger_alive=full")
        on.run(1_000)
    late = on.model.call(Caller(dialled="4002"), on.now)
    on.run(1)
    assert taken(on) == [late]
    alive(on)
    on.run(1_000)
    third = on.model.call(Caller(dialled="4003"), on.now)
    on.run(1)
    assert taken(on) == [late], f"{waiting} and {third} wait for instructions"


def test_signs_of_life_keep_callers_waiting_for_instructions() -> None:
    on = stage()
    leg = on.model.call(Caller(dialled="4001"), on.now)
    for _ in range(3 * PATIENCE_S):
        alive(on)
        on.run(1_000)
    assert not taken(on)
    assert on.names(leg)[-1] == "CHANNEL_PARK"


def test_whoever_arrives_while_nobody_lives_hears_why_and_is_joined_with_who_answers_first() -> None:
    on = stage()
    on.model.phone(Phone(extension="1001", behaviour="no_answer"), on.now)
    on.model.phone(Phone(extension="1002", answer_after_ms=500), on.now)
    on.run(1_000 * (PATIENCE_S + 1))
    leg = on.model.call(Caller(dialled="4001"), on.now)
    bridged = on.until_told("CHANNEL_BRIDGE", leg)
    assert taken(on) == [leg]
    heard = [event.headers["Playback-File-Path"] for event in on.told if event.name == "PLAYBACK_START"]
    assert heard[0] == "unattended.wav"
    assert "1002" in str(bridged.headers["Other-Leg-Destination-Number"])
    losers = [event.headers["Hangup-Cause"] for event in on.told if event.name == "CHANNEL_HANGUP"]
    assert losers == ["LOSE_RACE"]


def test_whoever_waits_is_taken_out_of_the_wait_the_longest_waiting_first() -> None:
    """Complaint 1: nobody is stuck for ever. So many a second, for each rings phones."""
    on = stage(swept_per_s=1)
    alive(on)
    legs = []
    for number in range(3):
        legs.append(on.model.call(Caller(dialled=f"400{number}", patience_ms=600_000), on.now))
        on.run(100)
    on.execute(legs[0], "playback", "local_stream://ringledger", locked=False)
    on.run(1_000 * (PATIENCE_S + 1))
    assert taken(on) == legs[:1]
    on.run(2_000)
    assert taken(on) == legs


def test_a_talk_goes_on_and_whoever_is_left_alone_after_it_is_served() -> None:
    on = stage()
    leg, agent = on.talk(patience_ms=600_000)
    on.run(1_000 * (PATIENCE_S + 2))
    assert not taken(on)
    on.model.hang_up(agent, on.now)
    on.run(1_500)
    assert taken(on) == [leg]


def test_a_phone_that_answered_for_an_orchestrator_that_is_gone_puts_down() -> None:
    """Complaint 1: no agent is left alone on the line."""
    on = stage()
    alive(on)
    on.phone("1001", answer_after_ms=100)
    on.background("originate {origination_uuid=agent,ringledger_offer=o-1}user/1001@ringledger &park()")
    on.until_told("CHANNEL_PARK", "agent")
    on.run(1_000 * (PATIENCE_S + 2))
    assert on.cause("agent") == "ORIGINATOR_CANCEL"


def test_where_nobody_answers_a_message_is_left_and_a_file_says_so(tmp_path: Path) -> None:
    on = stage(tmp_path)
    on.run(1_000 * (PATIENCE_S + 1))
    leg = on.model.call(Caller(dialled="4001", number="+31201234567", patience_ms=60_000), on.now)
    on.until_told("RECORD_START", leg)
    on.run(3_000)
    on.model.hang_up(leg, on.now)
    on.until_told("CHANNEL_HANGUP_COMPLETE", leg)
    (file,) = tmp_path.glob("*.cdr.json")
    record = json.loads(file.read_text(encoding="utf-8"))
    assert file.name == f"{leg}.cdr.json"
    assert unquote(record["variables"]["ringledger_message"]) == f"message-{leg}.wav"
    assert record["callflow"][0]["caller_profile"]["destination_number"] == "4001"
    assert record["callflow"][0]["caller_profile"]["caller_id_number"] == "+31201234567"


def test_a_word_of_a_call_lies_there_from_its_beginning_and_stays_beside_its_record_and_after_a_kill(
    tmp_path: Path,
) -> None:
    """Whoever is called what, the word is plain."""
    on = stage(tmp_path)
    on.run(1_000 * (PATIENCE_S + 1))
    name = 'Eve","uuid":"x\n\udcff' + "\N{DOUBLE EXCLAMATION MARK}" * 3_000
    legs = [on.model.call(Caller(dialled="4001", name=name, patience_ms=60_000), on.now) for _ in range(2)]
    for leg in legs:
        on.until_told("PLAYBACK_START", leg)
    assert {file.name for file in tmp_path.iterdir()} == {f"{leg}.taken.json" for leg in legs}
    said = json.loads((tmp_path / f"{legs[0]}.taken.json").read_text(encoding="ascii"))
    assert (said["uuid"], said["core"], said["dialled"]) == (legs[0], on.model.core_uuid, "4001")
    assert unquote(said["caller_name"]).startswith('Eve","uuid":"x\n')
    assert len(said["caller_name"]) <= 3 * 2_048
    assert 0 < int(said["arrived_at"]) <= int(said["taken_at"])
    on.model.hang_up(legs[0], on.now)
    on.until_told("CHANNEL_HANGUP_COMPLETE", legs[0])
    words = {f"{leg}.taken.json" for leg in legs}
    assert {file.name for file in tmp_path.iterdir()} == {f"{legs[0]}.cdr.json", *words}
    on.model.restart(on.now)
    on.run(1_000)
    assert (tmp_path / f"{legs[1]}.taken.json").exists()


def test_a_record_says_which_switch_wrote_it_also_of_a_run_that_is_over(tmp_path: Path) -> None:
    """Two switches of one machine: what the first wrote before it was restarted is known by its name alone."""
    now, legs, cores = Instant(0), {}, {}
    for seed, node in enumerate(("one", "two"), 1):
        on = stage(tmp_path, node=node, seed=seed)
        on.run(1_000 * (PATIENCE_S + 1))
        leg = on.model.call(Caller(dialled="4001", patience_ms=60_000), on.now)
        on.until_told("PLAYBACK_START", leg)
        on.model.hang_up(leg, on.now)
        on.until_told("CHANNEL_HANGUP_COMPLETE", leg)
        legs[node] = leg
        if node == "one":
            on.model.restart(on.now)
            on.run(1_000)
        cores[on.model.core_uuid] = node
        now = Instant(on.now)
    here = Here(("one", "two"), cores)
    for node, leg in legs.items():
        data = (tmp_path / f"{leg}.cdr.json").read_bytes()
        assert read(data, leg, here, now).node == node


def test_once_a_sign_of_life_is_shown_again_callers_are_parked_and_the_one_who_was_taken_stays() -> None:
    on = stage()
    on.model.phone(Phone(extension="1001", answer_after_ms=0, talk_ms=60_000), on.now)
    on.run(1_000 * (PATIENCE_S + 1))
    first = on.model.call(Caller(dialled="4001"), on.now)
    on.until_told("CHANNEL_BRIDGE", first)
    alive(on)
    on.run(1_500)
    second = on.model.call(Caller(dialled="4002"), on.now)
    on.until_told("CHANNEL_PARK", second)
    assert taken(on) == [first]
    assert "CHANNEL_HANGUP" not in on.names(first)


def test_a_switch_that_is_told_of_no_patience_waits_for_ever() -> None:
    on = Stage()
    leg = on.model.call(Caller(dialled="4001", patience_ms=600_000), on.now)
    on.run(60_000)
    assert on.names(leg)[-1] == "CHANNEL_PARK"
