"""Tell the story of a seed, or play many: `python -m tests.simulation SEED [id to follow]`, `… FIRST-LAST`."""

import sys
import time
from collections import Counter

from tests.matrix import ROWS, Row
from tests.simulation.run import Failure, Run

# Of each rule that is broken, so many seeds are shown.
SHOWN = 3


def main(arguments: list[str]) -> int:
    """1 where a rule was broken."""
    first, dash, last = arguments[0].partition("-")
    return play_many(int(first), int(last)) if dash else tell(int(first), " ".join(arguments[1:]))


def tell(seed: int, about: str) -> int:
    """Play one seed and tell everything about it, or about one thing in it."""
    run = Run(seed)
    end = "no rule was broken"
    try:
        run.play()
    except Failure as failure:
        end = f"seed {failure.seed} broke {failure.what}"
    print(run.story.tell(last=10**6, about=about))
    print(run.weather)
    print(end)
    return 0 if run.finished else 1


def play_many(first: int, last: int) -> int:
    """Play these seeds; say how fast, and which rules were broken by which."""
    broken: Counter[str] = Counter()
    rows: Counter[Row] = Counter()
    steps = 0
    begun = time.perf_counter()
    for seed in range(first, last + 1):
        run = Run(seed)
        try:
            run.play()
        except Failure as failure:
            broken[failure.rule] += 1
            if broken[failure.rule] <= SHOWN:
                print(f"seed {seed}: {failure.what[:200]}")
        steps += run.steps
        rows += run.rows_hit
    seconds = time.perf_counter() - begun
    count = last - first + 1
    print(f"{count} seeds, {count / seconds:.1f} seeds/s, {steps / count:.0f} steps each, broken: {dict(broken)}")
    print(", ".join(f"{row.state}-{row.who} {rows[row]}" for row in ROWS))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
