"""Whatever is refused, and whatever the reader of the site's file says, has words in the reader's language.

The sentences are found in the code itself: one that is new and has no words fails here. Values stand as `SAMPLE`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from flask_babel import force_locale

from orchestrator.domain.kernel import Refused
from orchestrator.domain.routing import outside
from orchestrator.runner import hands
from tests.web.conftest import Site
from web.refusals import REFUSALS, words
from web.routing.sayings import said

ROOT: Final = Path(__file__).resolve().parents[3]
SAMPLE: Final = "7"
# What only a command line or a program is told: a page never shows it.
NOT_ON_PAGES: Final = (
    "orchestrator/bundle/",
    "orchestrator/commandline_engines.py",
    "orchestrator/documents/",
    "orchestrator/questions.py",
    "orchestrator/runner/unattended.py",
    "orchestrator/spools.py",
    "orchestrator/tenure.py",
    "projections/command.py",
    "web/api/",
    "web/bundle/serve.py",
    "web/history/command.py",
    "web/sizing/command.py",
    "web/serve.py",
)
# Where a name stands for the sentence that follows: the code of each.
CODES: Final = {"BadTime": "bad_time", "ConfigurationChanged": "configuration_changed"}
# Codes that are worked out, by how they are written.
WORKED_OUT: Final = {
    "no_such_7": ("blacklisting", "contact", "customer", "draft", "order", "type"),
}
TRANSLATED: Final = frozenset({"gettext", "ngettext"})
# Names, units and values that are no English: words of the file's own, and examples.
_ENGLISH: Final = re.compile(r"\b[A-Za-z]{2,}\b[ ,;]+\b[a-z]{2,}\b[ ,;]+\b[a-z]{2,}\b")
_LETTERS: Final = re.compile(r"[A-Za-z]+ [A-Za-z]+")
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")


def sentence_of(node: ast.expr) -> str | None:
    """The text of a literal, with `SAMPLE` for what is filled in; None where it is no literal."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(part.value if isinstance(part, ast.Constant) else SAMPLE for part in parts)  # type: ignore[misc]
    return None


def trees(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        path = ROOT / folder
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            name = file.relative_to(ROOT).as_posix()
            yield name, ast.parse(file.read_text(encoding="utf-8"))


def refusals() -> Iterator[tuple[str, str, str]]:
    """Where, code and sentence of everything that is refused and may be shown on a page."""
    for name, tree in trees("orchestrator", "projections", "web"):
        if name.startswith(NOT_ON_PAGES):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                if any(isinstance(base, ast.Name) and base.id == "Refused" for base in node.bases):
                    yield from _of_class(name, node)
            elif isinstance(node, ast.Call):
                yield from _of_call(name, node)


def _of_class(name: str, node: ast.ClassDef) -> Iterator[tuple[str, str, str]]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "__init__":
            yield from _told(f"{name}:{call.lineno}", call.args)


def _of_call(name: str, call: ast.Call) -> Iterator[tuple[str, str, str]]:
    called = call.func.id if isinstance(call.func, ast.Name) else ""
    where = f"{name}:{call.lineno}"
    if called in CODES:
        if call.args and (sentence := sentence_of(call.args[0])) is not None:
            yield where, CODES[called], sentence
    elif called in ("Refused", "_refuse", "_refusal"):
        yield from _told(where, call.args)


def _told(where: str, args: list[ast.expr]) -> Iterator[tuple[str, str, str]]:
    code = sentence_of(args[0]) if args else None
    if code is None:
        return
    given = args[1]
    if isinstance(given, ast.Call) and isinstance(given.func, ast.Name) and given.func.id in TRANSLATED:
        return  # in the visitor's language already
    for each in (f"no_such_{kind}" for kind in WORKED_OUT[code]) if code in WORKED_OUT else (code,):
        yield where, each, sentence_of(given) or SAMPLE


def test_every_refusal_that_a_page_can_show_has_words_in_both_languages(site: Site) -> None:
    """Issue 3: Chinese and English from the start, for what is refused, too; the sentence is its last resort only."""
    found = list(refusals())
    found += [("runner/hands.py", code, sentence) for code, sentence in hands.NO_CALL.items()]
    assert len({code for _, code, _ in found}) > 90
    english = []
    for where, code, sentence in found:
        for language in ("zh", "en"):
            with site.app.test_request_context(), force_locale(language):
                told = words(Refused(code, sentence))
            if code not in REFUSALS:
                english.append(f"{where}: {code} has no words in web/refusals.py")
            elif language == "zh" and (not _CHINESE.search(told) or _ENGLISH.search(told)):
                english.append(f"{where}: {code}: {sentence!r} is told as {told!r}")
    assert not english, "\n".join(dict.fromkeys(english))


def test_no_words_are_kept_for_what_nobody_refuses() -> None:
    raised = {code for _, code, _ in refusals()} | {*hands.NO_CALL, outside.WITHHELD, "bad_configuration"}
    worked_out = {"desk_lost", "busy", "under_way", "not_waiting"}
    assert set(REFUSALS) - raised - worked_out == set()


def sayings() -> Iterator[tuple[str, str]]:
    """Where and what: everything that the file's reader complains of, and that a plan warns of."""
    files = [f"orchestrator/service/{path.name}" for path in sorted((ROOT / "orchestrator/service").glob("site_*.py"))]
    for name, tree in trees(*files, "orchestrator/domain/work/ordertypes.py", "orchestrator/domain/staff/reasons.py"):
        for node in ast.walk(tree):
            for sentence in _complaints(node):
                yield f"{name}:{node.lineno}", sentence if sentence[-1] in ".?" else f"{sentence}."  # type: ignore[attr-defined]
    for name, tree in trees("orchestrator/service/planning.py"):
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef) or function.name in {"lines", "_details", "_made"}:
                continue
            for node in ast.walk(function):
                if function.name == "_parting" and isinstance(node, ast.Dict):
                    for value in node.values:
                        yield f"{name}:{value.lineno}", sentence_of(value) or ""
                elif isinstance(node, ast.Yield) and node.value and (warning := sentence_of(node.value)):
                    yield f"{name}:{node.lineno}", warning


def _complaints(node: ast.AST) -> Iterator[str]:
    found: str | None
    match node:
        case ast.Call(func=ast.Name(id="Unfit"), args=[given]):
            found = sentence_of(given)
        case ast.Call(func=ast.Name(id="matching"), args=[_, given]):
            what = sentence_of(given)
            found = what and f"write {what}, in quotes"
        case ast.Call(func=ast.Attribute(attr="_complain"), args=[_, given]):
            found = sentence_of(given)
        case ast.Assign(targets=[ast.Name(id="text")], value=given):
            found = sentence_of(given)
        case ast.Yield(value=ast.Tuple(elts=[*_, given])):
            found = sentence_of(given)
        case _:
            return
    # Where all is filled in, it is told by the sentences that fill it.
    if found and _LETTERS.search(found) and not found.startswith(f"write {SAMPLE},"):
        yield found


def test_everything_that_is_wrong_with_a_draft_or_odd_about_it_has_words_in_both_languages(site: Site) -> None:
    """Issue 4: screens of the configuration speak the reader's language, whatever is wrong."""
    found = list(sayings())
    assert len(found) > 80
    english = []
    with site.app.test_request_context(), force_locale("zh"):
        for where, sentence in found:
            told = said(sentence)
            if not _CHINESE.search(told) or _ENGLISH.search(told):
                english.append(f"{where}: {sentence!r} is told as {told!r}")
    assert not english, "\n".join(english)


@pytest.mark.parametrize(
    ("sentence", "chinese"),
    (
        ("entry 2: for_s: write seconds from 1 to 86400.", "第 2 行：for_s：请填写 1 至 86400 之间的秒数。"),
        ("entry am: name is missing.", "第 am 行：缺少 name。"),
        ("am needs choices.", "am 需要选项。"),
        ("am has choices but is no choice.", "am 有选项，但不是选择字段。"),
        ("no agent can serve queue-x, which asks for y from level 3; there is none.", "queue-x"),
    ),
)
def test_a_sentence_inside_of_another_is_told_as_well(site: Site, sentence: str, chinese: str) -> None:
    with site.app.test_request_context(), force_locale("zh"):
        assert chinese in said(sentence)


def test_what_is_wrong_with_several_fields_of_an_order_is_told_of_each(site: Site) -> None:
    refused = Refused(
        "bad_fields", "Address is missing. Weight: write a number, such as 12 or 3.5. There is no field 'x'."
    )
    with site.app.test_request_context(), force_locale("zh"):
        told = words(refused)
    assert told == "缺少地址。 Weight：请填写数字，例如 12 或 3.5。 没有字段 x。"


def test_what_nobody_translated_is_told_as_it_was_said(site: Site) -> None:
    with site.app.test_request_context(), force_locale("zh"):
        assert words(Refused("from_a_newer_engine", "Something new.")) == "Something new."
        assert said("Something new.") == "Something new."
