"""Every prompt that the core names can be heard in every language."""

from freeswitch.prompts.speak import prompts
from orchestrator.domain.contacts.announcing import digits_of, prompts_for
from orchestrator.domain.routing.admission import OVERLOADED
from orchestrator.domain.routing.overflow import NO_ENTRY_POINT, PROMPTS
from orchestrator.domain.routing.queues import APOLOGY
from orchestrator.policies.placing import CLOSED


def test_whoever_is_turned_away_hears_why_in_each_language() -> None:
    """Feature 3.11: a number that nobody configured is never met with silence."""
    spoken = {(prompt.language, prompt.name) for prompt in prompts()}
    for language in ("en", "yue", "zh"):
        assert (language, APOLOGY) in spoken
        for prompt in (NO_ENTRY_POINT, OVERLOADED, CLOSED, *PROMPTS.values(), "blacklisted", "notice_weather"):
            assert (language, prompt) in spoken


def test_an_employee_number_is_a_sentence_of_prompts_that_each_language_has() -> None:
    """Feature 4.2."""
    assert prompts_for("801") == ("number_before", "digit_8", "digit_0", "digit_1", "number_after")
    parts = {(prompt.language, prompt.name) for prompt in prompts() if prompt.part}
    for language in ("en", "yue", "zh"):
        assert {(language, each) for each in prompts_for("0123456789")} <= parts


def test_what_is_spoken_of_a_number_are_its_digits() -> None:
    """Feature 4.2: letters, signs and digits of other scripts are passed over, however long it is."""
    assert digits_of("A-80\N{ARABIC-INDIC DIGIT FIVE}1b") == "801"
    assert digits_of("sales") == ""
    assert digits_of("12345678901234567890") == "12345678901234567890"
