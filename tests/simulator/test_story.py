"""Callers and phones keep an account of their own, which is there when the switch that they talked over is not."""

from pathlib import Path

from freeswitch.simulator import Options
from tests.simulator.stage import Stage


def told(file: Path, leg: str) -> list[str]:
    """What the far end of this leg said of it, in order, without the times."""
    lines = [line.split(maxsplit=4) for line in file.read_text().splitlines()]
    return [f"{who} {number} {word}" for _, who, uuid, number, word in lines if uuid == leg]


def test_both_ends_of_a_talk_say_how_they_fared_and_who_ended_it(tmp_path: Path) -> None:
    file = tmp_path / "story.log"
    on = Stage(Options(write_recordings=False, poll_ms=0, story=str(file)))
    caller, agent = on.talk(number="+31200000001", talk_ms=1_000)
    assert told(file, caller) == [f"caller +31200000001 {word}" for word in ("called", "answered", "joined")]
    on.cause(caller)
    on.api(f"uuid_kill {agent}")
    on.run(100)
    assert told(file, caller)[-1] == "caller +31200000001 hung-up"
    assert told(file, agent)[:3] == [f"phone 1001 {word}" for word in ("called", "answered", "joined")]
    assert told(file, agent)[3:] == ["phone 1001 was-hung-up NORMAL_CLEARING"]


def test_a_caller_under_whom_the_switch_dies_says_no_end(tmp_path: Path) -> None:
    file = tmp_path / "story.log"
    on = Stage(Options(write_recordings=False, poll_ms=0, story=str(file)))
    caller = on.caller(number="+31200000001")
    on.model.restart(on.now)
    on.run(1_000)
    assert told(file, caller) == ["caller +31200000001 called"]
