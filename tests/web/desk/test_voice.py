"""The desk and the agent's own voice: muted and heard again, and a keypad that keeps nothing (feature 4.3)."""

import pytest

from orchestrator.domain.contacts import speaking as v
from tests.lab.patience import until
from tests.web.desk.conftest import AtDesk, Office

pytestmark = pytest.mark.slow


def await_voice(ann: AtDesk, voice: str) -> None:
    """Wait until the desk shows this of the agent's voice."""

    def shown() -> bool:
        talk = ann.sees().talk
        return talk is not None and talk.voice == voice

    until(shown, f"a voice that is {voice}")


def test_mute_is_one_press_and_shows_what_the_switch_has_said_and_digits_are_nowhere(office: Office) -> None:
    """Complaint 13: nobody believes to be muted who is not. Law 11: digits leave no trace."""
    ann = office.talking("ann")
    assert ann.sees().may >= {"mute", "send_digits"}
    ann.press("mute")
    await_voice(ann, "muted")
    assert "Muted: nobody hears you" in ann.page()
    assert "unmute" in ann.sees().may
    ann.press("unmute")
    await_voice(ann, "heard")
    ann.press("send_digits", digits="20417#")
    sent = office.house.ledger.await_event(v.KeysPressed)
    assert (sent.to, sent.count) == ("caller", 6)
    assert ann.post("act/send_digits", about=ann.sees().about, digits="2x").status_code == 400
    everything = "".join(engine.log for engine in office.house.engines)
    everything += repr([record.event for record in office.house.ledger.read()])
    assert "20417" not in everything
    assert ann.post("act/mute", about="").status_code == 400
