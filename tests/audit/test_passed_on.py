"""What the verifier knows of callers who are passed on: their leg is parked once for it, and for nothing else."""

from orchestrator.audit import verify
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import Record
from tests.audit.test_by_hand import changed, rules_of
from tests.audit.test_places import moved
from tests.runner.test_transfer import Passed


def played() -> list[Record]:
    """A caller who is passed on into a queue and leaves."""
    scene = Passed(others=False)
    scene.pass_on(to_queue="sales")
    scene.parked()
    scene.hang_up(scene.ring.leg)
    scene.hang_up(scene.caller)
    scene.wait(60_000)
    return scene.records


def test_a_log_of_a_caller_who_was_passed_on_is_whole() -> None:
    report = verify(played(), expect_contacts=1)
    assert report.ok, report.text()


def test_a_leg_that_is_parked_though_nobody_was_passed_on_is_found() -> None:
    """Complaint 13."""
    log = played()
    assert "leg" in rules_of(changed(log, c.CallerParked, leg="another"))
    assert "leg" in rules_of(moved(log, c.CallerParked, behind=c.ContactConnected))
