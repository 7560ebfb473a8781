"""The desk and a recording: what it says, what its buttons do, and what they refuse (feature 8.1)."""

import pytest

from orchestrator.domain.contacts import recording as r
from tests.lab.patience import until
from tests.web.desk.conftest import AtDesk, Office

pytestmark = pytest.mark.slow


def await_tape(ann: AtDesk, state: str, mask: str = "off") -> None:
    """Wait until the desk shows this of the recording."""

    def shown() -> bool:
        talk = ann.sees().talk
        return talk is not None and (talk.tape.state, talk.tape.mask) == (state, mask)

    until(shown, f"a recording that is {state}, its mask {mask}")


def test_a_card_number_is_masked_with_one_press_and_sound_comes_back_with_another(office: Office) -> None:
    """Feature 8.1: pause for card numbers; what is shown is what the switch has said."""
    ann = office.talking("ann")
    await_tape(ann, "on")
    assert "This call is recorded" in ann.page()
    assert "stop_recording" not in ann.sees().may, "recorded by rule"
    assert ann.refused("stop_recording") == "recorded_by_rule"
    ann.press("mask_recording")
    await_tape(ann, "on", "on")
    assert "Masked: silence is recorded" in ann.page()
    assert ann.sees().may >= {"unmask_recording"}
    ann.press("mask_recording")
    ann.press("unmask_recording")
    await_tape(ann, "on")
    assert len(office.house.ledger.all(r.RecordingMasked)) == 1
    (over,) = office.house.ledger.all(r.RecordingUnmasked)
    assert over.reason == "agent"


def test_a_button_for_a_recording_names_its_call(office: Office) -> None:
    """Complaint 23."""
    ann = office.talking("ann")
    for action in ("start_recording", "stop_recording", "mask_recording", "unmask_recording"):
        assert ann.post(f"act/{action}", about="").status_code == 400
        assert ann.refused(action, about="00000000-0000-0000-0000-000000000000") == "stale"
