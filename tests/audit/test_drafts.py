"""The verifier follows drafts of the configuration: begun once, and over once they are applied or discarded."""

import pytest

from orchestrator.audit import verify
from orchestrator.domain.kernel import Event, Provenance, Record
from orchestrator.domain.routing.drafts import DraftApplied, DraftBegun, DraftDiscarded, DraftEdited
from tests.audit.centre import BEGINNING

BEGUN = DraftBegun(name="Autumn", base=1, owner="user:ann")
EDITED = DraftEdited(thing="queue-sales", body="{}")


def rules_broken(*events: Event) -> set[str]:
    records = [
        Record(stream="draft-d", version=version, event=event, event_id=str(version), about=Provenance(at=BEGINNING))
        for version, event in enumerate(events, 1)
    ]
    return {problem.rule for problem in verify(records, expect_contacts=0).problems}


@pytest.mark.parametrize("end", (DraftApplied(version=2), DraftDiscarded()))
def test_a_draft_that_was_begun_edited_and_ended_is_in_order(end: Event) -> None:
    """Feature 11.8."""
    assert rules_broken(BEGUN, EDITED, end) == set()


@pytest.mark.parametrize("end", (DraftApplied(version=2), DraftDiscarded()))
def test_nothing_follows_the_end_of_a_draft(end: Event) -> None:
    assert rules_broken(BEGUN, end, EDITED) == {"draft"}


def test_a_draft_begins_with_its_beginning_and_only_once() -> None:
    assert rules_broken(EDITED) == {"beginning"}
    assert rules_broken(BEGUN, BEGUN) == {"beginning"}
