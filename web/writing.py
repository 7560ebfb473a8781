"""The services that screens and programs write through, and in whose name."""

import uuid
from typing import Final

from flask import request

from orchestrator.domain.customers import notes
from orchestrator.domain.kernel import Refused, derived_id
from orchestrator.service.blacklist import Blacklists
from orchestrator.service.customer_file import CustomerFile
from orchestrator.service.deciding import Who
from orchestrator.service.drafts import Drafts
from orchestrator.service.meanwhile import Noted, now
from orchestrator.service.work import Work
from projections.reading import LOST, Away
from web.access.visitor import me
from web.parts import parts
from web.push.present import live

_KEY_LENGTH: Final = 64
# What a form carries beside what somebody wants.
_NO_WISH: Final = frozenset({"csrf_token", "key", "good_until", "version"})


def file() -> CustomerFile:
    """The files of customers."""
    reading = parts().reading
    return CustomerFile(reading.desk, reading.log, reading.vault, region=parts().settings.region)


def note(contact_id: str, text: str, *, code: str, key: str) -> bool:
    """Write down, as the visitor's agent, what is to be known of a contact; False where the database is away, and it is
    kept until that is back. Raises `Refused` for a text that is none, and `NotKept`.
    """
    try:
        file().note_contact(agent(), contact_id, text, code=code, key=key)
    except (Away, LOST):
        notes.decide(contact_id, notes.NoteContact(text=text, code=code))
        return _keep(contact_id, text, code, key)
    except Refused as refused:
        # The database is back, and the contact comes with the engine's spool.
        if refused.code != "no_such_contact" or live().view.calls.find(me().agent_id, contact_id) is None:
            raise
        return _keep(contact_id, text, code, key)
    return True


def _keep(contact_id: str, text: str, code: str, key: str) -> bool:
    parts().reading.meanwhile.keep(Noted(who=agent(), contact_id=contact_id, text=text, code=code, key=key, at=now()))
    return False


def work() -> Work:
    """Work orders."""
    reading = parts().reading
    return Work(reading.desk, reading.log, region=parts().settings.region)


def blacklists() -> Blacklists:
    """The numbers whose calls are refused."""
    reading = parts().reading
    return Blacklists(reading.desk, reading.log, region=parts().settings.region)


def drafts() -> Drafts:
    """Drafts of the configuration."""
    reading = parts().reading
    return Drafts(reading.desk, reading.log, parts().settings.site, region=parts().settings.region)


def who() -> Who:
    """The visitor, as events name them."""
    return Who(actor=me().actor, roles=me().roles)


def agent() -> Who:
    """The agent who sits at the visitor's desk, as events name them."""
    return Who(actor=f"agent:{me().agent_id}", roles=me().roles)


def fresh_key() -> str:
    """What makes the sending of one form twice one deed: it stands in the form."""
    return uuid.uuid4().hex


def key() -> str:
    """The key of the form that was sent, with what stands in it; empty where it has none.

    Whoever comes back to a form, changes it and sends it again has the same form and another wish, which is carried out
    like any other: only the very same words are done once.
    """
    given = request.form.get("key", "")[:_KEY_LENGTH]
    said = sorted((name, text) for name, text in request.form.items(multi=True) if name not in _NO_WISH)
    return derived_id("form", request.path, given, *(part for pair in said for part in pair)) if given else ""
