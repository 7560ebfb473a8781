"""Commands of the switch as text. Pure. Every word from outside is checked against an allow-list, or cleaned, here.

The event socket ends a command with an empty line, `sendmsg` splits lines, `originate` splits at blanks, commas, braces
and quotes and expands `${...}`: a string that may hold any of those is never put into a command (law 10).

Every function here raises `Unusable` for a word that does not have the shape of its kind.
"""

import re
import unicodedata

from freeswitch.directory import OF_A_PHONE

# What each kind of word may look like. `\Z` instead of `$`: a trailing line break must not slip through.
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}\Z")
_EXTENSION = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,31}\Z")
_DOMAIN = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,252}\Z")
_CAUSE = re.compile(r"[A-Z][A-Z0-9_]{1,63}\Z")
_STREAM = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}\Z")
_FILE = re.compile(r"(?:[0-9A-Za-z][0-9A-Za-z_-]{0,127}/){0,4}[0-9A-Za-z][0-9A-Za-z_-]{0,127}(?:\.[0-9a-z]{1,5})?\Z")
_FOLDER = re.compile(r"(?:/[0-9A-Za-z_.+@~-]+)+/?\Z")
_PHONE_NUMBER = re.compile(r"\+?[0-9]{1,32}\Z")
_DIGITS = re.compile(r"[0-9*#]{1,64}\Z")

# What splits, quotes or expands somewhere between the socket and the SIP message: `originate` and its variables
# (switch_ivr_originate.c, switch_utils.c), the From header (RFC 3261, 25.1), and `^^`, which chooses another comma.
_FORBIDDEN = frozenset("{}[]()<>,;'\"`\\$^|&=%\x7f")
_NAME_BYTES = 80
_PLAIN_NAME = re.compile(r"[0-9A-Za-z]+(?: [0-9A-Za-z]+)*")


_AS_A_CALLER = {
    "RECORD_STEREO": "true",
    "RECORD_MIN_SEC": "0",
    "RECORD_USE_THREAD": "false",
    "RECORD_PRE_BUFFER_FRAMES": "2",
    "hold_music": "local_stream://ringledger",
    "park_after_bridge": "true",
    "uuid_bridge_park_on_cancel": "true",
}


_STAYS = ("park_after_bridge", "uuid_bridge_park_on_cancel")


class Unusable(ValueError):
    """A word that must not stand in a command. The message names its part in it, never the word itself."""


def clean_name(raw: str) -> str:
    """A caller's name as it may be shown on an agent's phone: printable, one line, at most 80 bytes of UTF-8.

    Every character that means something to the switch or to SIP becomes a blank; runs of blanks become one. Empty where
    nothing is left. The raw name stays in the event.
    """
    if len(raw) <= _NAME_BYTES and _PLAIN_NAME.fullmatch(raw):
        return raw
    kept = []
    # The first part alone: a name of 2 kB and more is an attack or an accident, and costs time a ring must not spend.
    for character in unicodedata.normalize("NFC", raw[:400]):
        category = unicodedata.category(character)
        plain = category[0] not in "CZ" and character not in _FORBIDDEN and character != "\ufffd"
        kept.append(character if plain else " ")
    text = " ".join("".join(kept).split())
    return text.encode()[:_NAME_BYTES].decode("utf-8", "ignore").rstrip()


def clean_number(raw: str) -> str:
    """A caller's number where it is one (digits, perhaps a leading +), otherwise empty: nothing is guessed."""
    return raw if _PHONE_NUMBER.match(raw) else ""


def set_contact(leg: str, contact: str) -> str:
    """Write our contact's id on the leg, so that its events and a later snapshot carry it."""
    return f"api uuid_setvar {_leg(leg)} ringledger_contact {_id(contact, 'contact')}"


def execute(leg: str, application: str, argument: str = "", *, locked: bool = False) -> str:
    """Queue an application on a leg. A `locked` one is finished before the leg looks at the next (event-lock)."""
    lines = [f"sendmsg {_leg(leg)}", "call-command: execute", f"execute-app-name: {application}"]
    if argument:
        lines.append(f"execute-app-arg: {argument}")
    if locked:
        lines.append("event-lock: true")
    return "\n".join(lines)


def answer(leg: str) -> str:
    """Answer the leg; what is queued behind waits for it."""
    return execute(leg, "answer", locked=True)


def answer_now(leg: str) -> str:
    """Answer the leg before this command is replied to; nothing where it is answered (2.7 ms and 0.15 ms, measured)."""
    return f"api uuid_answer {_leg(leg)}"


def play_stream(leg: str, music: str) -> str:
    """Play endless music. Not locked: whatever comes next is done at once, inside it."""
    return execute(leg, "playback", f"local_stream://{_word(music, 'music', _STREAM)}")


# The ringing tone of the network in China: 450 Hz, 1 s of 5 (ITU-T E.180, supplement 2).
_RINGING = "tone_stream://%(1000,4000,450);loops=-1"


def play_ringing(leg: str) -> str:
    """Play the ringing tone without end. As `play_stream`."""
    return execute(leg, "playback", _RINGING)


def play_prompt(leg: str, prompt: str) -> str:
    """Play a prompt of ours once, found by the sound_prefix of the leg; what is queued behind waits for its end."""
    return execute(leg, "playback", f"{_word(prompt, 'prompt', _STREAM)}.wav", locked=True)


def play_prompts(leg: str, prompts: tuple[str, ...]) -> str:
    """Play prompts of ours once, read one by one. As `play_prompt`."""
    return execute(leg, "playback", _one_by_one(prompts), locked=True)


def say_over(leg: str, prompts: tuple[str, ...]) -> str:
    """Mix prompts of ours into what this leg hears, at once and over everything else; they are read one by one."""
    return f"api uuid_displace {_leg(leg)} start {_one_by_one(prompts)} 0 mux"


def say_instead(leg: str, prompts: tuple[str, ...]) -> str:
    """Let this leg hear prompts of ours at once in the place of what it hears, which goes on unheard beneath."""
    return f"api uuid_displace {_leg(leg)} start {_one_by_one(prompts)}"


def stop_saying(leg: str, prompts: tuple[str, ...]) -> str:
    """End what `say_instead` began; refused where it has ended."""
    return f"api uuid_displace {_leg(leg)} stop {_one_by_one(prompts)}"


def _one_by_one(prompts: tuple[str, ...]) -> str:
    return "file_string://" + "!".join(f"{_word(prompt, 'prompt', _STREAM)}.wav" for prompt in prompts)


def hang_up_after(leg: str, cause: str) -> str:
    """Hang up once everything queued before is done."""
    return execute(leg, "hangup", _word(cause, "cause", _CAUSE), locked=True)


def stop_playing(leg: str) -> str:
    """End whatever is being played on the leg, and what is queued to be."""
    return f"api uuid_break {_leg(leg)} all"


def originate(  # noqa: PLR0913 - as many as a ring has
    *,
    leg: str,
    contact: str,
    offer: str,
    extension: str,
    domain: str,
    caller_number: str,
    caller_name: str,
    ring_ms: int,
    via: str = "",
    stays: bool = False,
    answers: bool = False,
) -> str:
    """Make a leg to an agent's phone, `via` the node that has it where that is another one; it parks when answered. The
    phone rings for `ring_ms` at least; with `answers` it is asked to pick up at once, by the INVITE itself (Call-Info
    with answer-after=0), and again once it rings (NOTIFY `talk`): mod_sofia does both for one variable.

    The switch counts by whole seconds of the clock on the wall: N of them are over up to a second too early.
    """
    number = clean_number(caller_number)
    name = clean_name(caller_name) or number
    variables = {
        "origination_uuid": _leg(leg),
        "ringledger_contact": _id(contact, "contact"),
        "ringledger_offer": _id(offer, "offer"),
        # Whose phone it is, for whoever finds the leg and knows neither of the two.
        "ringledger_phone": _word(extension, "extension", _EXTENSION),
        "originate_timeout": str(max(1, -(-ring_ms // 1000)) + 1),
        "ignore_early_media": "true",
    }
    if stays:
        variables |= dict.fromkeys(_STAYS, "true")
    if answers:
        variables["sip_auto_answer"] = "true"
    if number:
        variables["origination_caller_id_number"] = number
    if name:
        # Quoted because of its blanks; no quote can be inside.
        variables["origination_caller_id_name"] = f"'{name}'"
    target = f"user/{_word(extension, 'extension', _EXTENSION)}@{_word(domain, 'domain', _DOMAIN)}"
    if via:
        # The other node finds the phone in its own directory; what the dial string there would say of it, we say here.
        variables |= dict(OF_A_PHONE)
        target = f"sofia/gateway/node-{_word(via, 'node', _NAME)}/{extension}~{leg}"
    listed = ",".join(f"{key}={value}" for key, value in variables.items())
    return f"originate {{{listed}}}{target} &park()"


def dial(
    *, leg: str, contact: str, offer: str, number: str, trunk: str, show: str, ring_ms: int, early: bool = False
) -> str:
    """Call a number outside over a gateway of the switch; the leg parks when it is answered, with `early` at the first
    sound. It then is like the leg of a caller who arrived, so it gets what the dialplan gives those
    (freeswitch/conf/dialplan.xml).
    """
    variables = {
        "origination_uuid": _leg(leg),
        "ringledger_contact": _id(contact, "contact"),
        "ringledger_offer": _id(offer, "offer"),
        "originate_timeout": str(max(1, -(-ring_ms // 1000)) + 1),
        "ignore_early_media": "false" if early else "true",
        **_AS_A_CALLER,
    }
    if show:
        variables["origination_caller_id_number"] = variables["origination_caller_id_name"] = _word(
            show, "number that is shown", _PHONE_NUMBER
        )
    else:
        variables["origination_privacy"] = "hide_name:hide_number"
    listed = ",".join(f"{key}={value}" for key, value in variables.items())
    target = f"sofia/gateway/{_word(trunk, 'trunk', _STREAM)}/{_word(number, 'number', _PHONE_NUMBER)}"
    return f"originate {{{listed}}}{target} &park()"


def bridge(leg: str, other: str) -> str:
    """Let two legs hear each other; +OK only says that it was begun."""
    return f"uuid_bridge {_leg(leg)} {_leg(other)}"


def park(leg: str) -> str:
    """Let the leg wait for instructions. Not in the background: whatever follows on this connection finds it parked, or
    on its way there.
    """
    return f"api uuid_park {_leg(leg)}"


def confer(leg: str, room: str) -> str:
    """Send the leg into a room of our profile (freeswitch/conf/conference.xml); when it is over it is parked. As `park`
    not in the background.
    """
    return f"api uuid_transfer {_leg(leg)} conference:{_id(room, 'room')}@ringledger,park inline"


def keep(leg: str) -> tuple[str, ...]:
    """Let the leg be parked, instead of hung up, when its peer leaves, or is lost while they are being joined."""
    return tuple(f"api uuid_setvar {_leg(leg)} {name} true" for name in _STAYS)


def talk(leg: str) -> str:
    """Ask the ringing phone of this leg to answer by itself (NOTIFY with `Event: talk`)."""
    return f"uuid_phone_event {_leg(leg)} talk"


def hold(leg: str) -> str:
    """Put this leg on hold: its peer hears music."""
    return f"uuid_hold {_leg(leg)}"


def resume(leg: str) -> str:
    """Take this leg off hold."""
    return f"uuid_hold off {_leg(leg)}"


# What the application that lets a leg hear another one's talk mixes into it (switch_ivr_async.c). It listens at the
# agent's leg: so what is written to that one (2) the agent hears, and what is read of it (1), the caller; 3 is both.
_HEARD_AS = {"listen": "0", "whisper": "2", "barge": "3"}


def eavesdrop(leg: str, other: str, mode: str) -> tuple[str, ...]:
    """Let this leg hear what the other one hears and says, from now to the end of that one. Its own phone's keys change
    nothing of it.
    """
    heard = _heard_as(mode)
    variables = {
        "eavesdrop_enable_dtmf": "false",
        "eavesdrop_whisper_aleg": "true" if heard == "3" else "false",
        "eavesdrop_whisper_bleg": "false" if heard == "0" else "true",
    }
    told = (f"api uuid_setvar {_leg(leg)} {name} {value}" for name, value in variables.items())
    return (*told, execute(leg, "eavesdrop", _leg(other)))


def steer(leg: str, mode: str) -> str:
    """Let a leg that hears a talk be heard there otherwise: a message to the application, and no tone on the line."""
    return f"sendevent MESSAGE\nUnique-ID: {_leg(leg)}\neavesdrop-command: {_heard_as(mode)}"


def _heard_as(mode: str) -> str:
    if mode not in _HEARD_AS:
        raise Unusable("the mode of hearing a talk is none of ours")
    return _HEARD_AS[mode]


def mute(leg: str, *, on: bool) -> str:
    """Write silence instead of what this leg says (level 1: zeros, no noise), or no more of it."""
    return f"api uuid_audio {_leg(leg)} {'start read mute 1' if on else 'stop'}"


def send_digits(leg: str, digits: str) -> str:
    """Send keys to the far end of this leg, as events of its sound stream (RFC 4733)."""
    return f"api uuid_send_dtmf {_leg(leg)} {_word(digits, 'digits', _DIGITS)}"


def kill(leg: str, cause: str) -> str:
    """Hang up this leg."""
    return f"uuid_kill {_leg(leg)} {_word(cause, 'cause', _CAUSE)}"


def record(leg: str, folder: str, file: str, do: str = "start") -> str:
    """Begin to record this leg into `folder`/`file`; or `stop`, `mask` or `unmask` what is written there, which the
    switch knows by this very path.
    """
    path = f"{_word(folder, 'recordings folder', _FOLDER).rstrip('/')}/{_word(file, 'file', _FILE)}"
    return f"uuid_record {_leg(leg)} {do} {path}"


def mark_drained(*, on: bool) -> str:
    """Let the dialplan refuse new callers from now on, or let them in (freeswitch/conf/dialplan.xml)."""
    return f"api global_setvar ringledger_drained={'yes' if on else ''}"


LEDGER = "api global_getvar ringledger_ledger"
"""Whose switch this is: the ledger that wrote its name there, until the switch is started anew."""


def claim(ledger: str) -> str:
    """Write whose switch this is."""
    return f"api global_setvar ringledger_ledger={_id(ledger, 'ledger')}"


ALIVE = "api global_setvar ringledger_alive=yes"
# Whoever is inside is decided upon; whoever comes now is the switch's own.
ALIVE_AND_FULL = "api global_setvar ringledger_alive=full"
"""Let the switch know that somebody decides; it takes the word back by itself (freeswitch/conf/deadman.lua)."""


def exists(leg: str) -> str:
    """Ask whether this leg lives: true or false."""
    return f"api uuid_exists {_leg(leg)}"


def dump(leg: str) -> str:
    """Ask for everything about this leg."""
    return f"api uuid_dump {_leg(leg)} json"


CHANNELS = "api show channels as json"
STATUS = "api status"
# The accounts of our directory (freeswitch/directory.py), each with the answer to `sofia_contact`: what their dial
# string would find now. 35 ms for 500 accounts on a real switch.
PHONES = "api list_users domain ringledger context ringledger-agents"
CORE = "api global_getvar core_uuid"


def background(command: str, job: str) -> str:
    """The command as a background job with an id of ours."""
    return f"bgapi {command}\nJob-UUID: {_id(job, 'job')}"


def subscribe(names: tuple[str, ...], custom: tuple[str, ...]) -> str:
    """Ask for these events, and these of CUSTOM, as JSON."""
    return f"event json {' '.join(names)} CUSTOM {' '.join(custom)}"


def _leg(value: str) -> str:
    return _word(value, "leg", _NAME)


def _id(value: str, what: str) -> str:
    return _word(value, what, _NAME)


def _word(value: str, what: str, shape: re.Pattern[str]) -> str:
    if not shape.match(value):
        raise Unusable(f"the {what} has a shape that must not stand in a command to the switch")
    return value
