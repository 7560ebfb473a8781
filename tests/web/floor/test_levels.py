"""When a figure calls for attention: at once when it gets bad, and not in and out when it stays at the edge."""

import pytest

from web.floor.levels import SCALES, Levels, Scale, Threshold, of_target

HIGH = Scale(Threshold(3, 2), Threshold(6, 5))


@pytest.mark.parametrize(
    ("values", "levels"),
    (
        ([0, 2.9, 3, 2.1, 1.9], "calm calm warn warn calm"),
        ([6, 5.5, 5, 4.9, 2, 1.9], "alarm alarm alarm warn warn calm"),
        ([2.5, 2.5], "calm calm"),
        ([10, 0], "alarm calm"),
    ),
)
def test_a_level_rises_at_one_value_and_falls_at_another(values: list[float], levels: str) -> None:
    """Feature 9.1: thresholds with hysteresis."""
    judge = Levels()
    assert [judge.judge("x", value, HIGH) for value in values] == levels.split()


def test_a_percentage_is_bad_when_it_is_low() -> None:
    judge = Levels()
    scale = SCALES["service_level"]
    found = [judge.judge("x", value, scale) for value in (90, 80, 83, 84.1, 65, 69, 70.1, 100)]
    assert found == ["calm", "warn", "warn", "calm", "alarm", "alarm", "warn", "calm"]


def test_a_wait_is_measured_by_the_queue_s_own_target() -> None:
    judge = Levels()
    found = [judge.judge("x", value, of_target(20_000)) for value in (19_000, 20_000, 19_000, 17_000, 60_000, 55_000)]
    assert found == ["calm", "warn", "warn", "calm", "alarm", "alarm"]


def test_no_figure_is_no_reason_to_worry_and_ends_what_was() -> None:
    judge = Levels()
    assert judge.judge("x", 9, HIGH) == "alarm"
    assert judge.judge("x", None, HIGH) == "calm"
    assert judge.judge("x", 5.5, HIGH) == "warn", "the alarm does not outlive the figure"


def test_queues_do_not_share_a_level() -> None:
    judge = Levels()
    assert judge.judge("a", 9, HIGH) == "alarm"
    assert judge.judge("b", 2.5, HIGH) == "calm"
