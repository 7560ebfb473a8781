"""`python -m tests.acceptance.chaos`: a run that ends by itself; its figures as JSON lines, its story on standard error."""

import argparse
import json
import shutil
import sys
import time

from tests.acceptance.chaos.run import Setting, play
from tests.postgres import make_reachable_directory


def main(words: list[str]) -> int:
    """0 where nothing was lost, doubled or left, and all else is whole."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.chaos")
    parser.add_argument("--seconds", type=float, default=300.0, help="how long callers come (default: 300)")
    parser.add_argument("--seed", type=int, default=0, help="of the kills and the callers (default: another each time)")
    parser.add_argument("--rate", type=float, default=20.0, help="calls a second (default: 20)")
    parser.add_argument("--talk", type=float, default=5.0, help="seconds that callers talk (default: 5)")
    asked = parser.parse_args(words)
    seed = asked.seed or time.time_ns() % 1_000_000
    folder = make_reachable_directory()
    say = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731 - a word
    say(f"seed {seed}")
    try:
        outcome = play(Setting(seed=seed, seconds=asked.seconds, per_second=asked.rate, talk_s=asked.talk), folder, say)
    finally:
        shutil.rmtree(folder)
    for figure in outcome.figures():
        print(json.dumps(figure, ensure_ascii=False), flush=True)
    if not outcome.whole:
        say(outcome.text())
    return int(not outcome.whole)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
