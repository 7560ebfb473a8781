"""`python -m tests.acceptance.chaos`: one run; its figures as JSON lines, its story on standard error."""

import argparse
import json
import shutil
import sys
import time

from tests.acceptance.chaos.run import RATE, REAL_RATE, Setting, play
from tests.lab.switch import freeswitch_binary
from tests.postgres import make_reachable_directory


def main(words: list[str]) -> int:
    """0 where nothing was lost, doubled or left, and all else is whole."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.chaos")
    parser.add_argument("--seconds", type=float, default=300.0, help="how long callers come (default: 300)")
    parser.add_argument("--seed", type=int, default=0, help="of the kills and the callers (default: another each time)")
    parser.add_argument("--rate", type=float, default=0.0, help="calls a second (default: 20, on a real switch 5)")
    parser.add_argument("--talk", type=float, default=5.0, help="seconds that callers talk (default: 5)")
    asked = parser.parse_args(words)
    real = freeswitch_binary() is not None
    rate = asked.rate or (REAL_RATE if real else RATE)
    seed = asked.seed or time.time_ns() % 1_000_000
    setting = Setting(seed=seed, seconds=asked.seconds, per_second=rate, talk_s=asked.talk, real=real)
    folder = make_reachable_directory()
    _say(f"seed {seed}")
    try:
        outcome = play(setting, folder, _say)
    finally:
        shutil.rmtree(folder)
    for figure in outcome.figures():
        print(json.dumps(figure, ensure_ascii=False), flush=True)
    if not outcome.whole:
        _say(outcome.text())
    return int(not outcome.whole)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
