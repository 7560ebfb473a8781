"""The recording of a contact, for those who may hear it; that they did is recorded (feature 8.2, simple)."""

import re
from pathlib import Path
from typing import Final

from flask import Response, abort, request, send_file

from orchestrator.domain.access.users import PersonalDataRevealed
from orchestrator.domain.kernel import Refused
from projections import contact_log
from web.access.needs import needs
from web.access.sight import agents_in_sight
from web.access.visitor import me
from web.history.area import blueprint
from web.parts import parts

# What the engine calls its files. The name comes from an event, and that from a switch: it names no other folder.
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,80}\.wav")


@blueprint.get("/contacts/<contact_id>/recording")
@needs("recordings.hear")
def recording(contact_id: str) -> Response:
    """The sound file. 404 where there is none, or none on this machine."""
    with parts().reading.reader.borrow() as connection:
        row = contact_log.find(connection, contact_id, agents=agents_in_sight())
    if row is None or row.recording_ms is None:
        abort(404)
    path = path_of(row.recording, parts().settings.recordings)
    if path is None:
        abort(404)
    if not me().user_id:
        raise Refused("people_only", "Only a person may listen, so that it is known who did.")
    if _is_from_the_beginning():
        event = PersonalDataRevealed(subject=f"contact-{contact_id}", field="recording")
        parts().reading.users.note(me().user_id, event, actor=me().actor)
    return send_file(path, mimetype="audio/wav", conditional=True, download_name=f"{contact_id[:8]}.wav", max_age=0)


def path_of(name: str, folder: Path) -> Path | None:
    """The file of this name in the folder of recordings; None for a name that is not ours, leads elsewhere, or has no
    file here (it may be on the switch's own machine).
    """
    plain = Path(name).name if Path(name).parent in {Path(), folder} else ""
    if not _FILE.fullmatch(plain):
        return None
    path = folder / plain
    return path if path.is_file() and not path.is_symlink() else None


def _is_from_the_beginning() -> bool:
    """A browser asks for a long file in pieces; the first is the hearing."""
    wanted = request.range
    return wanted is None or any(begin in (0, None) for begin, _ in wanted.ranges)
