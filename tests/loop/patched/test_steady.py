"""Work beside the calls does not end in silence (complaint 13)."""

import gevent
from structlog.testing import capture_logs

from orchestrator.metrics import Metrics
from orchestrator.standby import Shadow
from orchestrator.steady import Steady
from tests.lab.patience import until


def test_an_error_that_nobody_foresaw_is_said_and_counted_and_the_work_begun_again() -> None:
    metrics = Metrics()
    steady = Steady(metrics.faults, first_pause_s=0.01)
    begun: list[int] = []

    def work() -> None:
        begun.append(len(begun))
        if len(begun) < 3:
            raise KeyError("nobody thought of it")

    with capture_logs() as said:
        done = steady.spawn("importer", work)
        done.join(timeout=10)
    assert begun == [0, 1, 2]
    assert steady.faults == 2
    assert metrics.registry.get_sample_value("ringledger_faults_total", {"work": "importer"}) == 2
    assert [(each["event"], each["work"], each["exc_info"]) for each in said] == [("work-failed", "importer", True)] * 2


def test_work_that_is_killed_ends() -> None:
    steady = Steady(Metrics().faults)
    done = steady.spawn("figures", lambda: gevent.sleep(600))
    gevent.sleep(0)
    done.kill(timeout=10)
    assert done.dead
    assert steady.faults == 0


class _Half:
    """A log whose records cannot be folded."""

    def position(self) -> int:
        return 0

    def happened(self, _after: int) -> tuple[object, ...]:
        return ()

    def history(self, **_: int) -> tuple[object, ...]:
        return (object(),)


def test_a_standby_whose_state_may_be_half_changed_says_so_and_folds_no_further() -> None:
    failed: list[Exception] = []
    shadow = Shadow(_Half(), lambda _: None, failed=failed.append)  # type: ignore[arg-type]
    shadow.begin()
    until(lambda: failed or None, "it to fail")
    shadow.stop()
    assert len(failed) == 1
