"""Every prompt that the core names can be heard in every language."""

from freeswitch.prompts.speak import prompts
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
