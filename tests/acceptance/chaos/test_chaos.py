"""Every process is killed once under calls, and no caller is lost: issue 6; complaints 1, 2, 4, 16.

What the comparison finds, `test_fates.py` shows on accounts that are made up; here it is shown on those of the run.
"""

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.acceptance.chaos.fates import compare
from tests.acceptance.chaos.plan import KINDS
from tests.acceptance.chaos.run import Outcome, Setting, play

SETTING = Setting(seed=20_261_130, seconds=12.0, per_second=5.0, talk_s=1.5, gaps_s=(1.9, 2.3))


@pytest.mark.slow
def test_whatever_is_killed_every_callers_fate_is_known_on_both_sides(tmp_path: Path) -> None:
    outcome = play(SETTING, tmp_path)
    assert outcome.whole, outcome.text()
    assert {each.kind for each in outcome.killed} == set(KINDS), outcome.text()
    assert outcome.verdict.fates["completed"] > outcome.verdict.calls / 2, outcome.text()
    assert outcome.recordings.fates["sealed"] >= outcome.verdict.fates["completed"] / 2, outcome.text()
    _finds_what_is_planted(outcome)


def _finds_what_is_planted(outcome: Outcome) -> None:
    """A caller who is counted away, one whom nobody adopted, and a second contact of one are found in this very run."""
    accounts = outcome.accounts
    first, *others = accounts.known
    assert len(compare(replace(accounts, calls=accounts.calls[1:])).ghosts) == 1
    assert len(compare(replace(accounts, known=[replace(first, ends=()), *others])).lost) == 1
    assert len(compare(replace(accounts, known=[*accounts.known, replace(first, contact="another")])).doubled) == 1
