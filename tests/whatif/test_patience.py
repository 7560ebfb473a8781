"""How long callers are willing to wait: known answers, and what censoring would otherwise hide."""

from random import Random

import pytest

from orchestrator.whatif.patience import USUAL_S, estimate

# The remission times (weeks) of 21 patients treated with 6-MP: Freireich and others, 1963; the estimate as printed in
# D. R. Cox and D. Oakes, Analysis of Survival Data (1984), table 1.1 and section 4.3, and in many others since.
ENDED = (6, 6, 6, 7, 10, 13, 16, 22, 23)
CENSORED = (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
PRINTED = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}


def test_the_printed_estimate_of_the_21_patients() -> None:
    """Feature 10.4: Kaplan–Meier's known answer, of each patient ten times over, which changes no share."""
    waits = [*((week, True) for week in ENDED), *((week, False) for week in CENSORED)]
    found = estimate(10 * waits)
    assert {week: round(found.share(week), 3) for week in PRINTED} == PRINTED


def test_patience_is_found_though_most_were_served_first() -> None:
    """Of callers who would wait 100 s on average and are served after 20 s or so, few show it; all tell of it."""
    dice = Random(7)
    waits = []
    for _ in range(20_000):
        patience, served = dice.expovariate(1 / 100_000), dice.expovariate(1 / 20_000)
        waits.append((int(min(patience, served)), patience < served))
    found = estimate(waits)
    assert found.mean_s == pytest.approx(100, rel=0.05)
    assert found.share(60_000) == pytest.approx(0.549, abs=0.03)
    seen = sum(gave_up for _, gave_up in waits) / len(waits)
    assert seen < 0.2


def test_a_drawn_patience_is_as_estimated_and_longer_than_what_was_waited() -> None:
    waits = [(1_000 * second, second % 3 == 0) for second in range(1, 200)]
    found = estimate(waits)
    dice = Random(3)
    drawn = [found.draw(1 - dice.random()) for _ in range(20_000)]
    for second in (30, 90, 150):
        share = sum(each > 1_000 * second for each in drawn) / len(drawn)
        assert share == pytest.approx(found.share(1_000 * second), abs=0.02)
    later = [found.draw(1 - dice.random(), 90_000) for _ in range(5_000)]
    assert min(later) >= 90_000
    share = sum(each > 150_000 for each in later) / len(later)
    assert share == pytest.approx(found.share(150_000) / found.share(90_000), abs=0.03)


def test_beyond_the_last_who_gave_up_it_goes_on_as_exponential() -> None:
    found = estimate([*((10_000, True) for _ in range(10)), *((20_000, False) for _ in range(10))])
    assert found.share(10_000) == pytest.approx(0.5)
    assert found.mean_s == 30
    assert found.share(40_000) == pytest.approx(0.5 * 2.718281828 ** (-1))
    assert found.draw(0.25, 0) == pytest.approx(10_000 + 30_000 * 0.693147, rel=1e-4)
    assert found.draw(0.5, 50_000) == pytest.approx(50_000 + 30_000 * 0.693147, rel=1e-4)


@pytest.mark.parametrize("gave_up", (0, 9))
def test_with_too_few_who_gave_up_the_usual_patience_is_taken(gave_up: int) -> None:
    found = estimate([*((5_000, True) for _ in range(gave_up)), *((5_000, False) for _ in range(300))])
    assert not found.told
    assert found.mean_s == USUAL_S
    assert found.median_s() == pytest.approx(USUAL_S * 0.693147, rel=1e-4)


def test_nobody_who_waited_is_no_error() -> None:
    assert estimate([]).callers == 0
    assert estimate([]).draw(1.0) == 0
