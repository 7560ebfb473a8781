"""Every prompt that the core names can be heard in every language."""

from freeswitch.prompts.speak import prompts
from orchestrator.domain.contacts.announcing import (
    PLACES,
    WAITS,
    digits_of,
    prompts_for,
    prompts_for_park,
    prompts_for_place,
)
from orchestrator.domain.contacts.parks import PLACES as PARKING
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


def test_the_place_of_a_park_is_spoken_digit_by_digit_in_each_language() -> None:
    """Feature 4.3."""
    assert prompts_for_park(12) == ("parked_at", "digit_1", "digit_2")
    parts = {(prompt.language, prompt.name) for prompt in prompts() if prompt.part}
    for language in ("en", "yue", "zh"):
        assert {(language, each) for place in PARKING for each in prompts_for_park(place)} <= parts


def test_every_place_and_every_wait_is_a_sentence_that_each_language_has() -> None:
    """Feature 2.5, complaint 20."""
    spoken = {(prompt.language, prompt.name): prompt.text for prompt in prompts()}
    waits = (-1, 0, *(minutes * 60_000 for minutes in WAITS), 10**9)
    for language in ("en", "yue", "zh"):
        said = {spoken[language, each] for n in range(1, PLACES + 2) for each in prompts_for_place(n, -1)}
        assert len(said) == PLACES + 1, "no two places sound alike"
        said = {spoken[language, each] for wait in waits for each in prompts_for_place(1, wait)[1:]}
        assert len(said) == len(WAITS) + 2, "nor do two waits"


def test_a_wait_is_rounded_up_to_one_that_can_be_said_and_an_unknown_one_is_not_spoken_of() -> None:
    """Feature 2.5, complaint 20: an estimate errs, and nobody minds being served sooner (docs/decisions/0047)."""
    assert prompts_for_place(1, -1) == ("place_1",)
    seconds = {0: "less", 30: "less", 31: "1", 60: "1", 61: "2", 240: "4", 241: "5", 301: "10", 1_800: "30"}
    seconds |= {1_801: "more", 10**7: "more"}
    for second, said in seconds.items():
        assert prompts_for_place(20, second * 1_000) == ("place_20", f"wait_{said}")
    assert prompts_for_place(21, -1) == prompts_for_place(5_000, -1) == ("place_more",)


def test_what_is_spoken_of_a_number_are_its_digits() -> None:
    """Feature 4.2: letters, signs and digits of other scripts are passed over, however long it is."""
    assert digits_of("A-80\N{ARABIC-INDIC DIGIT FIVE}1b") == "801"
    assert digits_of("sales") == ""
    assert digits_of("12345678901234567890") == "12345678901234567890"
