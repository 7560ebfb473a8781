"""What sipp is told to play can be made, whole, on a machine without a switch too."""

from xml.etree import ElementTree as ET

import pytest

from tests.lab.phone import answering, refusing


def _sent(scenario: str) -> str:
    return "".join(message.text or "" for message in ET.fromstring(scenario).iter("send"))


def _last_wait(scenario: str) -> dict[str, str]:
    """How the phone waits for the other side's BYE."""
    return next(wait.attrib for wait in ET.fromstring(scenario).iter("recv") if wait.get("request") == "BYE")


def test_a_phone_answers_in_its_time_and_talks_until_the_other_side_ends_it() -> None:
    """One scenario plays numbers outside and agents' phones: a place added for either is filled for both."""
    scenario = answering(250)
    assert [pause.get("milliseconds") for pause in ET.fromstring(scenario).iter("pause")] == ["250"]
    assert _last_wait(scenario) == {"request": "BYE"}


def test_a_phone_that_hangs_up_by_itself_says_who_it_is_with_what_it_was_called_by() -> None:
    scenario = answering(0, 3_000)
    assert _last_wait(scenario) == {"request": "BYE", "timeout": "3000", "ontimeout": "1"}
    assert "\nFrom:[$phone];tag=" in _sent(scenario)
    assert "\nTo:[$caller]\n" in _sent(scenario)


@pytest.mark.parametrize(
    ("status", "line"), ((486, "486 Refused"), (404, "404 Refused"), (302, "302 Moved Temporarily"))
)
def test_a_phone_that_refuses_says_so_after_it_rang(status: int, line: str) -> None:
    scenario = refusing(status, 100)
    assert [pause.get("milliseconds") for pause in ET.fromstring(scenario).iter("pause")] == ["100"]
    assert f"\nSIP/2.0 {line}\n" in _sent(scenario)
