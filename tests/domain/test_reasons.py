"""The site's own reasons: which may be chosen where, in which order, and what they were called."""

from orchestrator.domain.staff import reasons
from orchestrator.domain.staff.reasons import (
    PauseReason,
    PauseReasonsConfigured,
    PauseReasonsRemoved,
    Reason,
    Reasons,
    WrapUpReason,
    WrapUpReasonsConfigured,
    WrapUpReasonsRemoved,
)
from orchestrator.service.site_reasons import reasons_of

ANY = WrapUpReasonsConfigured(
    reasons=(
        WrapUpReason(id="solved", name="Solved", names={"zh": "已解决"}),
        WrapUpReason(
            id="parcel", name="Parcel", reasons=(Reason(id="late", name="Late"), Reason(id="torn", name="Torn"))
        ),
    )
)
SALES = WrapUpReasonsConfigured(reasons=(WrapUpReason(id="sold", name="Sold"),), queues=("sales",))
PAUSES = PauseReasonsConfigured(reasons=(PauseReason(id="meal", name="Meal", most_ms=2_700_000),))
SITE = reasons_of({"wrapup-any": ANY, "wrapup-sales": SALES, "pauses-usual": PAUSES})


def test_what_is_asked_in_a_queue_comes_before_what_may_come_of_any_call() -> None:
    """Feature 4.7: a tree of reasons for each queue, in the order in which the site lists them."""
    assert [reason.id for reason in SITE.of_wrap_up("sales")] == ["sold", "solved", "parcel"]
    assert [reason.id for reason in SITE.of_wrap_up("support")] == ["solved", "parcel"]
    assert SITE.pause_codes() == ("meal",)


def test_a_heading_cannot_be_chosen_itself() -> None:
    assert SITE.wrap_up_codes() == ("solved", "late", "torn", "sold")


def test_what_left_its_list_keeps_its_name_for_the_past() -> None:
    """Configuration is history: a code that was stored years ago is still read in words."""
    fewer = WrapUpReasonsConfigured(reasons=(WrapUpReason(id="done", name="Done"),))
    later = reasons.evolve(reasons.evolve(SITE, fewer, "any"), PauseReasonsRemoved(), "usual")
    assert later.wrap_up_codes() == ("done", "sold")
    assert later.pause_codes() == ()
    assert reasons.label(later.known["solved"], "zh") == "已解决"
    assert {"late", "meal"} <= set(later.known)
    gone = reasons.evolve(later, WrapUpReasonsRemoved(), "sales")
    assert [reason.id for reason in gone.of_wrap_up("sales")] == ["done"]


def test_a_code_means_one_thing_and_none_of_the_systems_own() -> None:
    twice = reasons_of({"wrapup-any": ANY, "wrapup-sales": WrapUpReasonsConfigured(reasons=ANY.reasons[:1])})
    ((kind, ident, why),) = reasons.faults(twice)
    assert (kind, ident) == ("wrapup", "sales")
    assert "solved stands here in wrapup.any too" in why
    own = reasons_of({"pauses-x": PauseReasonsConfigured(reasons=(PauseReason(id="ring_no_answer", name="x"),))})
    ((_, _, why),) = reasons.faults(own)
    assert "ring_no_answer is a word of the system itself" in why
    assert not list(reasons.faults(SITE))
    assert not list(reasons.faults(Reasons()))
