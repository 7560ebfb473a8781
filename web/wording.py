"""The catalogue of translations: found in code and templates, kept in `web/translations/zh`, checked by a test.

    ringledger translations            find new texts, drop old ones, compile; says what is left to translate
    ringledger translations --check    only say what is missing, stale, fuzzy or not compiled

English is the source and needs no catalogue. Texts have no line numbers here, so that code may move without noise.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).parent
LANGUAGE: Final = "zh"
PO: Final = ROOT / "translations" / LANGUAGE / "LC_MESSAGES" / "messages.po"
MO: Final = PO.with_suffix(".mo")

_METHODS: Final = [("static/**", "ignore"), ("**.py", "python"), ("templates/**.html", "jinja2")]
_OPTIONS: Final = {"templates/**.html": {"trimmed": "true", "silent": "false"}}
_KEYWORDS: Final = {
    "_": None,
    "_l": None,
    "gettext": None,
    "ngettext": (1, 2),
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "lazy_pgettext": ((1, "c"), 2),
    "_p": ((1, "c"), 2),
}
_PLACES: Final = re.compile(r"%\((\w+)\)[sd]")


def wanted() -> Catalog:
    """Every text that code and templates may show."""
    catalogue = Catalog(project="Ringledger", charset="utf-8")
    found = extract_from_dir(
        str(ROOT), method_map=_METHODS, options_map=_OPTIONS, keywords=_KEYWORDS, comment_tags=("TRANSLATORS:",)
    )
    for _, _, text, comments, context in found:
        catalogue.add(text, None, auto_comments=comments, context=context)
    return catalogue


def known() -> Catalog:
    """The catalogue as it stands in the file; empty where there is none yet."""
    if not PO.exists():
        return _empty()
    with PO.open("rb") as file:
        return read_po(file, locale=LANGUAGE)


def update() -> list[str]:
    """Write the catalogue anew from what is wanted and known, and compile it; what is left to translate."""
    before, now = known(), _empty()
    for message in wanted():
        if not message.id:
            continue
        old = before.get(message.id, message.context)
        now.add(
            message.id,
            "" if old is None or old.fuzzy else old.string,
            auto_comments=message.auto_comments,
            context=message.context,
        )
    now.creation_date = before.creation_date if PO.exists() else now.creation_date
    now.revision_date = now.creation_date
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, now, width=120, no_location=True, sort_output=True)
    MO.write_bytes(compiled(known()))
    return problems()


def problems() -> list[str]:
    """What keeps a Chinese reader from reading everything: a line for each."""
    catalogue = known()
    found = list(_of_texts(wanted(), catalogue))
    if not MO.exists() or MO.read_bytes() != compiled(catalogue):
        found.append("messages.mo is not what messages.po compiles to")
    return found


def _empty() -> Catalog:
    head = "Ringledger's screens in Chinese (simplified). Kept by `ringledger translations`; edit msgstr only."
    return Catalog(
        locale=LANGUAGE,
        project="Ringledger",
        version="1",
        header_comment=f"# {head}",
        msgid_bugs_address="none",
        last_translator="the project",
        language_team="the project",
        charset="utf-8",
        fuzzy=False,
    )


def compiled(catalogue: Catalog) -> bytes:
    """The catalogue as programs read it."""
    into = BytesIO()
    write_mo(into, catalogue)
    return into.getvalue()


def _of_texts(source: Catalog, catalogue: Catalog) -> Iterator[str]:
    for message in source:
        if message.id:
            held = catalogue.get(message.id, message.context)
            if held is None:
                yield f"not in the catalogue: {message.id!r}"
            elif why := _wrong(held):
                yield f"{why}: {message.id!r}"
    for message in catalogue:
        if message.id and source.get(message.id, message.context) is None:
            yield f"shown nowhere any more: {message.id!r}"


def _wrong(message: Message) -> str:
    """Why a translation is no good; empty where it is."""
    if message.fuzzy:
        return "fuzzy"
    sources = message.id if isinstance(message.id, tuple | list) else (message.id,)
    targets = message.string if isinstance(message.string, tuple | list) else (message.string,)
    if not all(targets):
        return "not translated"
    filled = [target or "" for target in targets]
    places = set(_PLACES.findall(" ".join(sources)))
    if any(set(_PLACES.findall(target)) - places for target in filled):
        return "has a place that the source has not"
    if len(sources) == 1 and set(_PLACES.findall(filled[0])) != places:
        return "lacks a place that the source has"
    return ""
