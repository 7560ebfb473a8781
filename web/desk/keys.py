"""The keys of the desk: what each does, and why it does nothing where there is no button for it."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from msgspec import Struct


class Key(Struct, frozen=True):
    """A key, pressed with Alt and Shift. `off`: why it does nothing while its button is nowhere on the page; where that
    is there and off, the page says what it waits for, or the agent's state.
    """

    name: str
    words: LazyString
    off: LazyString

    @property
    def codes(self) -> str:
        """The keys that it stands for, apart by spaces."""
        return " ".join(map(str, range(1, 10))) if self.name == "1 … 9" else self.name


KEYS: Final = (
    Key("A", _l("Accept the call"), _l("no call rings")),
    Key("X", _l("Reject the call"), _l("no call rings")),
    Key("H", _l("Hold; talk again"), _l("there is no call that could be held")),
    Key("S", _l("Switch to the caller on hold"), _l("no other caller is on hold, and nobody is asked")),
    Key("T", _l("Take the first who waits"), _l("nobody waits whom you could take")),
    Key("Y", _l("Call a number: type it"), _l("you may not call numbers")),
    Key("P", _l("Pass the caller on"), _l("there is no call that could be passed on")),
    Key("Q", _l("Park the caller at a place"), _l("there is no call that could be parked")),
    Key("F", _l("Retrieve the caller whom you parked"), _l("you have parked nobody")),
    Key("V", _l("Retrieve from a place: type its number"), _l("there is nothing to be retrieved here")),
    Key("K", _l("Mask the recording for card data; record sound again"), _l("nothing is being recorded")),
    Key("G", _l("Record this call; end the recording"), _l("there is no call that you could record")),
    Key("J", _l("Bring caller and whoever is asked together"), _l("nobody is asked about the caller")),
    Key("I", _l("Invite one more into the conference"), _l("there is no conference")),
    Key(
        "Z",
        _l("Bring whoever is alone with you, or on hold, into the conference"),
        _l("nobody is alone with you, or on hold"),
    ),
    Key("U", _l("Mute me; be heard again"), _l("there is no call in which you are heard")),
    Key("D", _l("Keypad: digits for the other end"), _l("nobody hears you whom digits could reach")),
    Key("E", _l("Hang up"), _l("there is no call")),
    Key("L", _l("Refuse further calls of this caller"), _l("there is no call whose number could be refused")),
    Key("1 … 9", _l("Choose what the call was about"), _l("there is no after-call work, or no such choice")),
    Key("N", _l("Write the note"), _l("there is neither a call nor after-call work")),
    Key("C", _l("Make a customer of this caller"), _l("no caller is shown who is no customer yet")),
    Key("O", _l("Open a work order"), _l("no caller is shown")),
    Key("M", _l("More time for after-call work"), _l("there is no after-call work that could take longer")),
    Key("W", _l("Save the after-call work, and be ready"), _l("there is no after-call work")),
    Key("R", _l("Take your seat; be ready"), _l("your seat is shown nowhere")),
    Key("B", _l("Not ready: choose why"), _l("you have not taken your seat")),
)
