"""Every prompt that the core names can be heard in every language."""

from freeswitch.prompts.speak import prompts
from orchestrator.domain.routing.overflow import NO_ENTRY_POINT
from orchestrator.domain.routing.queues import APOLOGY


def test_whoever_is_turned_away_hears_why_in_each_language() -> None:
    """Feature 3.11: a number that nobody configured is never met with silence."""
    spoken = {(prompt.language, prompt.name) for prompt in prompts()}
    for language in ("en", "yue", "zh"):
        assert (language, APOLOGY) in spoken
        assert (language, NO_ENTRY_POINT) in spoken
