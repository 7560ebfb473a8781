"""Figures as JSON lines: `python -m tests.bench [GROUP]`, a name of `GROUPS` (also `--only GROUP`). Of `replay`,
`--size 20m` measures a long log, too, and `--keep DIR` leaves it to the next run.

Each group is a module here with `run() -> Iterator[dict]`; each figure has name, value and unit, and where there is one
the limit that it is held to (`at_least`, `at_most`, `target`) and the peer measured beside it. Missed limits are named
at the end on standard error; they do not fail the run, for the machine may be busy with other things. A group that
fails is told there with its traceback, and the others are measured all the same.
"""

import argparse
import importlib
import importlib.util
import json
import sys
import traceback
from pathlib import Path
from typing import Any

GROUPS = (
    "store",
    "esl",
    "simulator",
    "decide",
    "switch",
    "shedding",
    "deadman",
    "control",
    "projections",
    "web",
    "matching",
    "fairness",
    "scale",
    "estimate",
    "replay",
    "redrive",
    "whatif",
    "takeover",
    "chaos",
    "spool",
)


def missed(figure: dict[str, Any]) -> bool:
    """Whether the figure is on the wrong side of its limit."""
    value = figure["value"]
    lowest, highest = figure.get("at_least", figure.get("target")), figure.get("at_most")
    return (lowest is not None and value < lowest) or (highest is not None and value > highest)


def main(words: list[str]) -> int:
    """Run the groups asked for, all by default; 1 where one could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("group", nargs="?", choices=GROUPS)
    parser.add_argument("--only", choices=GROUPS)
    parser.add_argument(
        "--size", choices=("100k", "1m", "2m", "5m", "10m", "20m"), help="how long a log `replay` is measured on"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where `replay` keeps its log, and takes it up again")
    asked = parser.parse_args(words)
    only = asked.group or asked.only
    if (asked.size or asked.keep) and only != "replay":
        parser.error("only the group `replay` has a size, and a log to keep")
    given = {name: value for name in ("size", "keep") if (value := getattr(asked, name))}
    late: list[str] = []
    failed: list[str] = []
    broken = False
    for group in (only,) if only else GROUPS:
        name = f"tests.bench.{group}"
        if importlib.util.find_spec(name) is None:
            print(f"no figures of group {group} yet", file=sys.stderr)
            broken |= bool(only)
            continue
        try:
            for figure in importlib.import_module(name).run(**given):
                print(json.dumps(figure, ensure_ascii=False), flush=True)
                if missed(figure):
                    late.append(figure["name"])
        except Exception:  # noqa: BLE001 - the other groups can still be measured
            traceback.print_exc()
            failed.append(group)
    if late:
        print(f"beyond their limits: {', '.join(late)}", file=sys.stderr)
    if failed:
        print(f"not measured to the end: {', '.join(failed)}", file=sys.stderr)
    return int(broken or bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
