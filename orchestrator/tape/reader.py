"""Reading the tape back: every input that is there, in order, and a `Hole` for every stretch that is not."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from orchestrator.domain.kernel import Instant
from orchestrator.esl.events import SwitchEvent
from orchestrator.esl.translate import translate
from orchestrator.runner.inputs import Input
from orchestrator.tape.form import (
    LENGTH,
    Hole,
    Recorded,
    Sealer,
    Told,
    bound_to,
    decode,
    dictionary_of,
    key_name,
    place_of,
    read_header,
    unpack,
)
from orchestrator.vault import Tampered


def segments(folder: Path) -> list[Path]:
    """The tape's segments in this folder, in the order in which they were written."""
    found = [path for path in folder.iterdir() if place_of(path)] if folder.is_dir() else []
    return sorted(found, key=lambda path: place_of(path) or (0, 0))


def read(paths: Iterable[Path], vault: Sealer) -> Iterator[Recorded | Hole]:
    """The inputs of these segments (given in order), with holes where inputs are missing. Damage never raises."""
    epoch, expected, why = -1, 1, ""
    for path in paths:
        place = place_of(path)
        if place is None:
            continue
        if place[0] != epoch:
            epoch, expected, why = place[0], 1, ""
        for found in _blocks(path, vault):
            if isinstance(found, str):
                why = why or f"{path.name}: {found}"
                continue
            first, lines = found
            if first > expected:
                yield Hole(epoch, expected, first - 1, why or "an older segment is gone, or the disk could not keep up")
            expected, why = first + len(lines), ""
            yield from _inputs(path, epoch, first, lines)
        if why:
            # Whether something followed is known by the next segment, if there is one.
            yield Hole(epoch, expected, 0, why)
            why = ""


def inputs_of(recorded: Recorded) -> Iterator[Input]:
    """The runner's inputs that this line became, with the same ids as then: an event may tell several facts, or none;
    what was told is none.
    """
    if isinstance(recorded.body, Told):
        return
    if isinstance(recorded.body, SwitchEvent):
        for ordinal, fact in enumerate(translate(recorded.node, recorded.body)):
            yield Input(id=f"{recorded.id}.{ordinal}", at=recorded.at, body=fact)
    else:
        yield Input(id=recorded.id, at=Instant(recorded.at), body=recorded.body)


def _inputs(path: Path, epoch: int, first: int, lines: list[bytes]) -> Iterator[Recorded | Hole]:
    for number, line in enumerate(lines, first):
        try:
            yield decode(line)
        except (msgspec.DecodeError, ValueError, KeyError, TypeError) as error:
            yield Hole(epoch, number, number, f"{path.name}: an input that this version cannot read: {error}")


def _blocks(path: Path, vault: Sealer) -> Iterator[tuple[int, list[bytes]] | str]:
    """Each block of a segment, or in words why one cannot be had."""
    try:
        data = path.read_bytes()
        header, at = read_header(data)
        dictionary = dictionary_of(header)
    except (OSError, ValueError) as error:
        yield str(error)
        return
    index = 0
    while at < len(data):
        if at + LENGTH.size > len(data):
            yield "it ends inside the length of a block: whoever wrote it was stopped there"
            return
        (length,) = LENGTH.unpack_from(data, at)
        at += LENGTH.size
        if at + length > len(data):
            yield "it ends inside a block: whoever wrote it was stopped there"
            return
        try:
            block = vault.open_bytes(key_name(header.epoch, header.serial), data[at : at + length], bound_to(index))
            yield unpack(block, dictionary)
        except (Tampered, zlib.error, struct.error) as error:
            yield f"block {index} is damaged ({type(error).__name__})"
        at += length
        index += 1
