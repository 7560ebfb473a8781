"""The sound of a recording, and its shape, for those who may hear it. That they did is recorded, and from where."""

import time
from collections import OrderedDict
from collections.abc import Iterator
from itertools import chain
from threading import Lock
from typing import Final

from flask import Response, abort, current_app, jsonify, request

from orchestrator.domain.access.users import RecordingExported, RecordingPlayed
from orchestrator.domain.kernel import Event, Refused
from orchestrator.domain.texts import LINE, one_line
from orchestrator.service.recordings import Sound
from orchestrator.service.sealed_files import unreadable
from projections import recordings as model
from web.access.needs import needs
from web.access.visitor import me
from web.parts import parts
from web.recordings import shown
from web.recordings.area import blueprint

# Whoever asks for another part within this time still listens to what they began.
LISTENING_S: Final = 3_600
_MOST: Final = 1_000


class Listeners:
    """Who listens to what just now, as far as this process knows; whom it does not know begins anew."""

    def __init__(self) -> None:
        self._since: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._lock = Lock()

    def goes_on(self, user_id: str, file: str) -> bool:
        """Whether they began already, as the log has it."""
        with self._lock:
            last = self._since.get((user_id, file))
        return last is not None and time.monotonic() - last < LISTENING_S

    def listens(self, user_id: str, file: str) -> None:
        """They listen, and the log has it that they began."""
        with self._lock:
            self._since.pop((user_id, file), None)
            self._since[user_id, file] = time.monotonic()
            while len(self._since) > _MOST:
                self._since.popitem(last=False)


def _listeners() -> Listeners:
    listeners: Listeners = current_app.extensions.setdefault("ringledger-listeners", Listeners())
    return listeners


@blueprint.get("/<name>/sound")
@needs("recordings.hear")
def sound(name: str) -> Response:
    """The sound file, or the range of it that is asked for. 404 where there is none.

    Whoever begins to listen hears what was recorded, to the last byte, or nothing: its digest is compared first, and
    that they listen is recorded. Whoever was refused has not begun.
    """
    row, person, listeners = _complete(name), _person(), _listeners()
    goes_on = listeners.goes_on(person, row.file)
    found = _sound(row, whole=not goes_on)
    stretch = _stretch(found)
    if stretch is None:
        return _sent(found, "inline", row)
    if goes_on and stretch[0] == 0:
        goes_on, found = False, _sound(row, whole=True)
    if not goes_on:
        _note(RecordingPlayed(contact_id=row.contact_id, file=row.file, address=request.remote_addr or ""))
    listeners.listens(person, row.file)
    return _sent(found, "inline", row)


@blueprint.get("/<name>/shape")
@needs("recordings.hear")
def shape(name: str) -> Response:
    """How loud each side was: `length_ms`, and `sides` of numbers from 0 to 254. 404 where that cannot be said."""
    found = parts().reading.recordings.shape(_complete(name).file)
    if found is None:
        abort(404)
    return jsonify(length_ms=found.length_ms, sides=found.sides)


@blueprint.post("/<name>/copy")
@needs("recordings.export")
def copy(name: str) -> Response:
    """The whole sound file, to be taken out of the house; why is recorded first."""
    row = _complete(name)
    reason = one_line(request.form.get("reason", ""), "Reason", LINE)
    if not reason:
        raise Refused("no_reason", "Say why; it stands in the log beside your name.")
    _person()
    found = _sound(row, whole=True)
    address = request.remote_addr or ""
    _note(RecordingExported(contact_id=row.contact_id, file=row.file, reason=reason, address=address))
    return _sent(found, "attachment", row)


def _complete(name: str) -> model.Recording:
    """The visitor's recording of this name, if the switch writes it no more: whoever hears a talk that goes on listens
    in, which is another right. 404 where nothing came of it.
    """
    row = shown.in_sight(name)
    if row.state == model.WRITING:
        raise Refused("recording_not_kept", "This recording is not sealed yet; try again in a moment.")
    if row.state not in (model.FINISHED, model.KEPT) and not row.digest:
        abort(404)
    return row


def _sound(row: model.Recording, *, whole: bool) -> Sound:
    """404 where there is none. Another machine hands out what is sealed only."""
    kept = parts().reading.recordings
    found = kept.sound(row.file, whole=whole)
    if found is None and row.state == model.FINISHED and kept.is_elsewhere(row.node):
        raise Refused("recording_not_kept", "This recording is not sealed yet; try again in a moment.")
    if found is None:
        abort(404)
    return found


def _person() -> str:
    if not me().user_id:
        raise Refused("people_only", "Only a person may listen, so that it is known who did.")
    return me().user_id


def _note(event: Event) -> None:
    parts().reading.users.note(me().user_id, event, actor=me().actor)


def _stretch(sound: Sound) -> tuple[int, int] | None:
    """From where to where it is asked for; None for a range that there is not."""
    return (0, sound.length) if request.range is None else request.range.range_for_length(sound.length)


def _sent(sound: Sound, how: str, row: model.Recording) -> Response:
    """The sound, or the range of it that is asked for; 416 for one that there is not."""
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
        "Content-Disposition": f"{how}; filename={row.file.removesuffix('.wav')[:8]}.wav",
    }
    stretch = _stretch(sound)
    if stretch is None:
        return Response(status=416, headers={"Content-Range": f"bytes */{sound.length}"})
    begin, end = stretch
    if request.range is not None:
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{sound.length}"
    headers["Content-Length"] = str(end - begin)
    status = 200 if request.range is None else 206
    pieces = _pieces(sound, begin, end, row)
    first = next(pieces, b"")  # what cannot be read at all is told before anything is sent
    return Response(chain((first,), pieces), status=status, mimetype="audio/wav", headers=headers)


def _pieces(sound: Sound, begin: int, end: int, row: model.Recording) -> Iterator[bytes]:
    try:
        yield from sound.read(begin, end)
    except OSError as error:
        raise unreadable(row.file, error) from error
