"""How long a caller hears nothing while they are passed on: blind, and after a consultation.

On a real switch the caller's leg is recorded from before the wish to after the next talk has begun, and what the caller
heard is looked at in windows of 5 ms: the longest silence between two that are heard, music counting as heard. The
switch writes what it sends, so a phone's own buffer is not in it. A simulated switch has no sound: there it is the
time from the news that ends what the caller heard to the news of the next bridge, as the events tell it.
"""

import statistics
import wave
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from orchestrator.domain.contacts.contacts import ContactArrived
from orchestrator.runner.inputs import CompleteConsult, Consult, HangUp, SignOut, Transfer
from tests.acceptance.house import House
from tests.lab.sound import QUIET

CALLS: Final = 6
AGENTS: Final = ("801", "802")
WINDOW_S: Final = 0.005
EDGE_S: Final = 0.2
_TALK_MS: Final = 900

Hears = Callable[[str, float], float]
"""When an event of this name was first told since then."""


def gaps(house: House, hears: Hears, clock: Callable[[], float]) -> Iterator[dict[str, Any]]:
    """The two figures. Agent 801 is signed in, with a phone that answers."""
    house.driver.phone("1002")
    found = {"blind": [_one(house, hears, clock, consult=False) for _ in range(CALLS)]}
    found["consult"] = [_one(house, hears, clock, consult=True) for _ in range(CALLS)]
    for name, all_ms in found.items():
        yield {
            "name": f"transfer.gap_ms.{name}",
            "value": round(max(all_ms), 1),
            "unit": "ms",
            "p50_ms": round(statistics.median(all_ms), 1),
            "calls": len(all_ms),
            "measured": "samples" if house.driver.has_sound else "events",
            "switch": house.driver.name,
        }


def _one(house: House, hears: Hears, clock: Callable[[], float], *, consult: bool) -> float:
    """Pass one caller on from 801 to 802."""
    driver, path = house.driver, house.folder / "gap.wav"
    house.await_state(AGENTS[0], "ready")
    began = clock()
    driver.call()
    hears("CHANNEL_BRIDGE", began)
    house.await_state(AGENTS[0], "talking")
    house.sign_in(AGENTS[1])
    leg = house.ledger.all(ContactArrived)[-1].leg
    with driver.control() as control:
        path.unlink(missing_ok=True)
        control.api(f"uuid_record {leg} start {path}")
        driver.let_hear(_TALK_MS)
        if consult:
            asked = clock()
            house.do(Consult(agent=AGENTS[0], to_agent=AGENTS[1]))
            hears("CHANNEL_BRIDGE", asked)
            driver.let_hear(_TALK_MS)
        wished = clock()
        house.do(CompleteConsult(agent=AGENTS[0]) if consult else Transfer(agent=AGENTS[0], to_agent=AGENTS[1]))
        parted = wished if consult else hears("CHANNEL_PARK", wished)
        joined = hears("CHANNEL_BRIDGE", wished)
        house.await_state(AGENTS[1], "talking")
        driver.let_hear(_TALK_MS)
        control.api(f"uuid_record {leg} stop {path}")
    house.do(HangUp(agent=AGENTS[1]))
    house.await_no_contacts()
    house.do(SignOut(agent=AGENTS[1]))
    return longest_silence_ms(path) if driver.has_sound else 1_000 * (joined - parted)


def longest_silence_ms(path: Path, channel: int = 1) -> float:
    """The longest stretch of a stereo file in which nothing is heard, its edges left out."""
    with wave.open(str(path), "rb") as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = array("h", file.readframes(file.getnframes()))[channel::channels]
    window = round(rate * WINDOW_S)
    edge = round(rate * EDGE_S)
    longest = run = 0
    for start in range(edge, len(samples) - edge - window + 1, window):
        part = samples[start : start + window]
        quiet = sum(sample * sample for sample in part) < window * QUIET * QUIET
        run = run + 1 if quiet else 0
        longest = max(longest, run)
    return 1_000 * longest * WINDOW_S
