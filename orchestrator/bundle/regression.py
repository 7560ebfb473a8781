"""A bundle as a regression test: what was decided rightly must be decided so again, and what was wrong no more."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from orchestrator.bundle.form import BadBundle
from orchestrator.bundle.opened import Opened, opened
from orchestrator.domain.kernel import LIVE_KINDS, Record, kind_of
from orchestrator.redrive import Difference
from orchestrator.redrive.compared import EVENTS, FAULT, INSTRUCTIONS, TIMER
from orchestrator.redrive.drive import MOST_DIFFERENCES
from orchestrator.replay.moments import local

_NAME: Final = re.compile(r"[^a-z0-9]+")
_TEST: Final = '''"""{title}

The tape of an incident, driven through today's code.
{meaning}
"""

from pathlib import Path
from typing import Final

from orchestrator.bundle import problems

BUNDLE: Final = Path(__file__).with_name({bundle})
{wrong}# So many steps of the tape were compared when this was written: a test of fewer would say less.
STEPS: Final = {steps}


def test_{name}() -> None:
    """Feature 11.4: {promise}"""
    found = problems(BUNDLE, wrong=WRONG, steps=STEPS)
    assert not found, "\\n".join(found)
'''
_AS_RECORDED: Final = "Everything that was decided then was right, and is decided so again."
_BUT_WRONG: Final = (
    "What stands under WRONG is the bug:\n"
    "today's code must decide it otherwise, and all the rest as it was decided then."
)


def problems(path: Path, *, wrong: Mapping[str, str] | None = None, steps: int = 0) -> list[str]:
    """What today's code does with a bundle that it should not, a line each; nothing where all is well.

    `wrong`: inputs whose steps were decided wrongly then, with what was, in words. These must be decided otherwise now,
    and all others as they were; but for those that are decided otherwise because of pseudonyms alone. `steps`: at
    least so many must be compared, unless there is so much else that the rest was not looked at. Raises `BadBundle`.
    """
    bad = dict(wrong or {})
    with opened(path) as bundle:
        report, veiled = bundle.redriven(watch=bad), frozenset(bundle.manifest.by_veil)
    otherwise: dict[str, list[Difference]] = {}
    for each in report.differences:
        if each.input_id in veiled and each.what != FAULT:
            continue
        otherwise.setdefault(each.input_id, []).append(each)
    found = [
        f"input {input_id}: {_said(each)}"
        for input_id, differences in otherwise.items()
        for each in differences
        if input_id not in bad or each.what == FAULT
    ]
    found += [
        f"input {input_id} is decided as it was then: {what}"
        if input_id in report.watched
        else f"input {input_id} was not driven or not compared, so nobody can say how it is decided: {what}"
        for input_id, what in bad.items()
        if not any(each.what in (EVENTS, INSTRUCTIONS, TIMER) for each in otherwise.get(input_id, ()))
    ]
    if not report.inputs:
        found.append("nothing of the tape could be driven again")
    elif report.inputs < steps and not report.stopped:
        found.append(f"{report.inputs} steps of the tape were compared, not {steps}")
    return found


def write_test(path: Path, folder: Path, wrong: Sequence[int]) -> Path:
    """Write a test of this bundle, and a copy of it, into a folder; the test's file.

    `wrong`: log positions of events that should never have been. Raises `BadBundle`. Whoever made the bundle has no say
    in the code: what is taken from it stands there as a string, and the site's name not at all.
    """
    with opened(path) as bundle:
        if not bundle.manifest.pseudonymous:
            raise BadBundle(
                "not_pseudonymous",
                "A test lives in a repository, where personal data must not be: make the bundle with --pseudonymous.",
            )
        veiled = bundle.manifest.by_veil
        if veiled and bundle.manifest.check.differences >= MOST_DIFFERENCES:
            raise BadBundle(
                "veiled", "So much is decided otherwise because of pseudonyms that a test of it would say nothing."
            )
        bad = dict(_wrong(bundle, position) for position in wrong)
        lost = [str(position) for position in wrong if _wrong(bundle, position)[0] in veiled]
        if lost:
            raise BadBundle(
                "veiled",
                f"What happened at {', '.join(lost)} is decided otherwise because of pseudonyms alone: no test of this "
                "bundle can tell whether it is mended.",
            )
        report = bundle.redriven(watch=bad)
        dark = [str(position) for position in wrong if _wrong(bundle, position)[0] not in report.watched]
        if dark and not report.stopped:
            raise BadBundle(
                "not_compared",
                f"What led to {', '.join(dark)} is not on the bundle's tape, or so soon after its beginning or a hole "
                "that it is not compared: no test of it can tell whether it is mended. Make the bundle of a longer "
                "window.",
            )
        begun = local(bundle.manifest.begins, bundle.timezone)
    name = _NAME.sub("_", path.stem.lower()).strip("_") or "incident"
    target, copy = folder / f"test_{name}.py", folder / f"{name}.bundle"
    for each in (target, copy):
        if each.exists():
            raise BadBundle("exists", f"{each} is there already; nothing is written over. Rename the bundle.")
    folder.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(path.read_bytes())
    rows = "".join(f"    {json.dumps(key)}: {json.dumps(words)},\n" for key, words in bad.items())
    text = _TEST.format(
        title=f"An incident, {begun}.",
        meaning=_BUT_WRONG if bad else _AS_RECORDED,
        bundle=json.dumps(copy.name),
        wrong=f"WRONG: Final[dict[str, str]] = {{\n{rows}}}\n" if bad else "WRONG: Final[dict[str, str]] = {}\n",
        name=name,
        steps=report.inputs,
        promise="the wrong decisions are made no more, the others as they were." if bad else _AS_RECORDED.lower(),
    )
    target.write_text(text, encoding="utf-8")
    return target


def left_out(path: Path) -> int:
    """How many inputs a test of this bundle does not look at: pseudonyms alone change what is decided of them."""
    with opened(path) as bundle:
        return len(bundle.manifest.by_veil)


def _wrong(bundle: Opened, position: int) -> tuple[str, str]:
    """The input of the step that made this event, and what the step made."""
    records = bundle.within()
    record = next((each for each in records if each.position == position), None)
    if record is None or kind_of(record.stream) not in LIVE_KINDS:
        raise BadBundle(
            "no_such_event",
            f"There is no event of the engine at position {position} in the bundle's window; "
            "`ringledger bundle open FILE --events` lists them.",
        )
    cause = record.about.causation
    return cause, _names([each for each in records if each.about.causation == cause])


def _said(each: Difference) -> str:
    if each.what == FAULT:
        return f"today's code fails: {each.fault}"
    if each.what == TIMER:
        return f"the timer {' of '.join(each.timer)} is due at {each.made_due}, not at {each.recorded_due}"
    return f"{each.what} recorded: {_names(each.recorded)}; today: {_names(each.made)}"


def _names(happened: Sequence[object]) -> str:
    return ", ".join(type(each.event if isinstance(each, Record) else each).__name__ for each in happened) or "nothing"
