"""Feature 4.2 on a real switch, by its samples: both hear the agent's number once, and the recording does not."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from freeswitch.prompts.sound import silence, tone, write_wav
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.announcing import AFTER, BEFORE
from orchestrator.runner import inputs
from tests.acceptance.conftest import REAL
from tests.acceptance.house import House
from tests.contract.driver import Driver, RealDriver
from tests.lab.control import Control
from tests.lab.sound import AGENT_HZ, CALLER_HZ, stretches

KINDS = REAL
PART_S = 0.5
PITCHES = {"digit_8": 1_300, "digit_0": 1_700, "digit_1": 2_100}
"""What is heard instead of the words for 8, 0 and 1: the agent is number 801."""
SAID = [PITCHES[f"digit_{digit}"] for digit in "801"]


@pytest.fixture(autouse=True)
def tones(driver: Driver) -> Iterator[None]:
    """Recordings of an operator's own in the place of the words, which a test can tell apart."""
    assert isinstance(driver, RealDriver)
    folder = driver.real.sounds / driver.real.plan.language
    sounds = {name: tone(hertz, PART_S) for name, hertz in PITCHES.items()}
    sounds |= {BEFORE: silence(1.0), AFTER: silence(0.2)}
    kept = {name: (folder / f"{name}.wav").read_bytes() for name in sounds}
    for name, samples in sounds.items():
        write_wav(folder / f"{name}.wav", samples)
    yield
    for name, content in kept.items():
        (folder / f"{name}.wav").write_bytes(content)


def listen_in(control: Control, house: House, leg: str) -> Path:
    """Record what this leg hears from now on, after whatever is laid over it: what its ear gets."""
    path = house.driver.recordings / f"ear-{leg}.wav"
    assert control.api(f"uuid_record {leg} start {path}").startswith("+OK")
    return path


def heard(path: Path, channel: int) -> list[int]:
    """The pitches of the number, in the order in which they are heard, each as often as it is.

    A hold pressed within a tone cuts it in two, a twentieth of a second or two apart: that is heard once, not twice and
    not too short to count.
    """
    found = []
    for hertz in SAID:
        pieces = stretches(path, channel, hertz)
        begins = [n for n, (at, _) in enumerate(pieces) if not n or at - sum(pieces[n - 1]) > PART_S]
        for first, after in pairwise([*begins, len(pieces)]):
            if sum(length for _, length in pieces[first:after]) > PART_S / 2:
                found.append((pieces[first][0], hertz))
    return [hertz for _, hertz in sorted(found)]


def test_the_number_is_on_both_ears_once_on_no_recording_and_the_talk_goes_on_under_it(house: House) -> None:
    """Feature 4.2: a hold and a resume later say nothing of it again."""
    house.driver.phone("1001")
    house.sign_in("801")
    with house.driver.control() as control:
        control.subscribe("MEDIA_BUG_START")
        caller = house.driver.call()
        house.ledger.await_event(c.NumberAnnounced)
        connected = house.ledger.all(c.ContactConnected)[0]
        leg = house.ledger.all(c.ContactArrived)[0].leg
        control.await_event("MEDIA_BUG_START", Unique_ID=connected.leg, Media_Bug_Function="displace")
        ears = {each: listen_in(control, house, each) for each in (leg, connected.leg)}
        house.driver.let_hear(4_000)
        house.do(inputs.Hold(agent="801"))
        house.await_state("801", "held")
        house.driver.let_hear(500)
        house.do(inputs.Resume(agent="801"))
        house.await_state("801", "talking")
        house.driver.let_hear(1_500)
        caller.hang_up()
    house.close_day(contacts=1)
    recording = house.driver.recordings / f"{connected.segment_id}.wav"
    assert heard(ears[leg], 1) == SAID, "the caller's ear"
    assert heard(ears[connected.leg], 1) == SAID, "the agent's ear"
    assert [heard(recording, channel) for channel in (0, 1)] == [[], []], "the recording, of both"
    for path, own, others in ((ears[leg], CALLER_HZ, AGENT_HZ), (ears[connected.leg], AGENT_HZ, CALLER_HZ)):
        whole = stretches(path, 0, own), stretches(path, 1, others)
        assert all(found and found[0][0] < 0.3 for found in whole), "they talk while it is spoken"
    longest = max(length for _, length in stretches(recording, 1, AGENT_HZ))
    assert longest > 3, "not a word is cut by the number"
    assert len(house.ledger.all(c.NumberAnnounced)) == 1


def test_an_agent_whose_phone_sends_nothing_is_announced_too(house: House) -> None:
    """Feature 4.2: a muted phone."""
    house.driver.phone("1001", "obeys")
    house.sign_in("801")
    with house.driver.control() as control:
        control.subscribe("MEDIA_BUG_START")
        caller = house.driver.call()
        house.ledger.await_event(c.OfferDelivered)
        house.do(inputs.Accept(agent="801"))
        house.ledger.await_event(c.NumberAnnounced)
        leg = house.ledger.all(c.ContactArrived)[0].leg
        control.await_event("MEDIA_BUG_START", Unique_ID=leg, Media_Bug_Function="displace")
        ear = listen_in(control, house, leg)
        house.driver.let_hear(4_000)
        caller.hang_up()
    house.close_day(contacts=1)
    assert heard(ear, 1) == SAID


@pytest.mark.parametrize("after_ms", (0, 2_250), ids=("before its first digit", "within a digit"))
def test_a_hold_pressed_while_it_is_spoken_and_an_engine_that_starts_again_meanwhile_repeat_nothing(
    house: House, after_ms: int
) -> None:
    """Features 4.2, 4.3, 12.1."""
    house.driver.phone("1001")
    house.sign_in("801")
    with house.driver.control() as control:
        control.subscribe("MEDIA_BUG_START")
        caller = house.driver.call()
        house.ledger.await_event(c.NumberAnnounced)
        leg = house.ledger.all(c.ContactArrived)[0].leg
        control.await_event("MEDIA_BUG_START", Unique_ID=leg, Media_Bug_Function="displace")
        ear = listen_in(control, house, leg)
        house.driver.let_hear(after_ms)
        house.do(inputs.Hold(agent="801"))
        house.engines[-1].child.kill()
        house.open()
        house.await_state("801", "held")
        house.do(inputs.Resume(agent="801"))
        house.await_state("801", "talking")
        house.driver.let_hear(3_000)
        again = [event for event in control.drain(0.1) if event["Media-Bug-Function"] == "displace"]
        assert [event["Unique-ID"] for event in again if event["Unique-ID"] == leg] == []
        caller.hang_up()
    house.close_day(contacts=1)
    assert heard(ear, 1) == SAID
    assert len(house.ledger.all(c.NumberAnnounced)) == 1
