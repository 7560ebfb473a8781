"""The recordings of a contact, for those who may hear them; that they did is recorded (feature 8.2, simple)."""

from flask import Response, abort, request

from orchestrator.domain.access.users import PersonalDataRevealed
from orchestrator.domain.kernel import Refused
from orchestrator.service.recordings import Sound
from projections import contact_log
from web.access.needs import needs
from web.access.sight import agents_in_sight
from web.access.visitor import me
from web.history.area import blueprint
from web.parts import parts


@blueprint.get("/contacts/<contact_id>/recording")
@blueprint.get("/contacts/<contact_id>/recording/<int:place>")
@needs("recordings.hear")
def recording(contact_id: str, place: int = 0) -> Response:
    """The sound file of the contact's first recording, or of the one at this place. 404 where there is none here.

    Whoever begins to listen hears what was recorded, to the last byte, or nothing: its digest is compared first.
    """
    with parts().reading.reader.borrow() as connection:
        row = contact_log.find(connection, contact_id, agents=agents_in_sight())
    if row is None:
        abort(404)
    kept = parts().reading.recordings
    files = kept.parts(contact_id)
    if place >= len(files):
        abort(404)
    beginning = _is_from_the_beginning()
    sound = kept.sound(files[place].file, whole=beginning)
    if sound is None:
        abort(404)
    if not me().user_id:
        raise Refused("people_only", "Only a person may listen, so that it is known who did.")
    if beginning:
        event = PersonalDataRevealed(subject=f"contact-{contact_id}", field="recording")
        parts().reading.users.note(me().user_id, event, actor=me().actor)
    return _sent(sound, f"{contact_id[:8]}.wav")


def _sent(sound: Sound, name: str) -> Response:
    """The sound, or the range of it that is asked for; 416 for one that there is not."""
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
        "Content-Disposition": f"inline; filename={name}",
    }
    begin, end, status = 0, sound.length, 200
    if request.range is not None:
        found = request.range.range_for_length(sound.length)
        if found is None:
            return Response(status=416, headers={"Content-Range": f"bytes */{sound.length}"})
        begin, end, status = *found, 206
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{sound.length}"
    headers["Content-Length"] = str(end - begin)
    return Response(sound.read(begin, end), status=status, mimetype="audio/wav", headers=headers)


def _is_from_the_beginning() -> bool:
    """A browser asks for a long file in pieces; the first is the hearing."""
    wanted = request.range
    return wanted is None or any(begin in (0, None) for begin, _ in wanted.ranges)
