"""The applications that a dialplan or `sendmsg` can execute on a leg, except those that join legs."""

import re
import wave
from typing import Final

from freeswitch.simulator import recording
from freeswitch.simulator.bus import Headers
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.core import Switch
from freeswitch.simulator.executing import application, parse_all, parse_next, pending
from freeswitch.simulator.text import separate
from freeswitch.simulator.timeline import FOREVER, MILLISECOND, SECOND, Steps

_UNKNOWN_FILE: Final = 2 * SECOND
"""How long a file plays that this machine does not have: the simulator has the switch's prompts only by name."""

_ENDLESS: Final = ("local_stream://", "tone_stream://")


def park(switch: Switch, leg: Channel) -> Steps[None]:
    """Wait for instructions until the leg is hung up, bridged or sent elsewhere."""
    if leg.controlled:
        return
    expires, cause = 0, "NORMAL_CLEARING"
    timeout = leg.get("park_timeout")
    if timeout:
        seconds, _, named = timeout.partition(":")
        cause = named or cause
        expires = switch.now + (int(seconds) if seconds.isdigit() else 0) * SECOND
        leg.set("park_timeout", None)
        leg.set("park_after_bridge", None)
    leg.controlled = True
    switch.tell(leg, "CHANNEL_PARK")
    if leg.party is not None:
        leg.party.parked(leg)
    while leg.ready and leg.controlled:
        if pending(leg):
            if not leg.hears:
                yield from parse_next(switch, leg, silent=True)
            yield from parse_all(switch, leg)
        elif expires and switch.now >= expires:
            switch.hangup(leg, cause)
        elif leg.digits:
            yield hear_digit(switch, leg)
        else:
            yield expires - switch.now if expires else FOREVER
    leg.controlled = False
    switch.tell(leg, "CHANNEL_UNPARK")


def play(switch: Switch, leg: Channel, path: str, *, digits: str = "") -> Steps[str]:
    """Let the leg hear a file or a stream. Returns how it ended: `done`, `break`, `digit` or `missing`.

    `digits` are the keys that end it; the key stays in the leg's queue.
    """
    length = duration(path)
    if length is None:
        return "missing"
    kind = path.split("://", 1)[0] if "://" in path else "file"
    news: Headers = {"Playback-File-Type": kind, "Playback-File-Path": path}
    switch.tell(leg, "PLAYBACK_START", last=news)
    until = switch.now + length if length >= 0 else FOREVER
    ended = "done"
    leg.playing += 1
    while leg.ready:
        if leg.break_flag:
            leg.break_flag = False
            ended = "break"
            break
        if pending(leg):
            yield from parse_all(switch, leg)
            continue
        if leg.digits and (leg.digits[0][0] in digits):
            ended = "digit"
            break
        if until != FOREVER and switch.now >= until:
            break
        heard = 0 if digits else hear_digit(switch, leg)
        yield heard or (FOREVER if until == FOREVER else until - switch.now)
    leg.playing -= 1
    status = "break" if ended == "digit" else ended
    switch.tell(leg, "PLAYBACK_STOP", last={**news, "Playback-Status": status})
    return ended


def duration(path: str) -> int | None:
    """How long a file or stream plays, in µs: FOREVER for an endless one, None for a file that is not there.

    Absolute paths are read on this machine; the switch's own prompts, named without a path, last two seconds.
    """
    if path.startswith(_ENDLESS):
        return FOREVER
    if path.startswith("silence_stream://"):
        ms = path.split("://", 1)[1].split(",", maxsplit=1)[0]
        return int(ms) * MILLISECOND if ms.isdigit() else FOREVER
    if not path.startswith("/"):
        return _UNKNOWN_FILE
    try:
        with wave.open(path, "rb") as sound:
            return sound.getnframes() * SECOND // sound.getframerate()
    except (OSError, EOFError, wave.Error):
        return None


def hear_digit(switch: Switch, leg: Channel) -> int:
    """Tell of a key that nobody collects, one a tick. Returns how long to wait for the next, 0 when there is none."""
    if not leg.digits:
        return 0
    tell_digit(switch, leg)
    return switch.options.tick_ms * MILLISECOND


def tell_digit(switch: Switch, leg: Channel) -> str:
    """Take the oldest key from the leg's queue and tell of it."""
    digit, samples, source = leg.digits.popleft()
    news: Headers = {"DTMF-Digit": digit, "DTMF-Duration": str(samples), "DTMF-Source": source}
    switch.tell(leg, "DTMF", last=news)
    return digit


@application("park")
def _park(switch: Switch, leg: Channel, _argument: str) -> Steps[None]:
    yield from park(switch, leg)


@application("answer")
def _answer(switch: Switch, leg: Channel, _argument: str) -> Steps[None]:
    if not leg.answered:
        yield 1 * MILLISECOND  # the 200 OK is sent, its ACK is not waited for
        switch.answer(leg)


@application("pre_answer")
def _pre_answer(switch: Switch, leg: Channel, _argument: str) -> Steps[None]:
    switch.pre_answer(leg)
    yield from ()


@application("ring_ready")
def _ring_ready(switch: Switch, leg: Channel, _argument: str) -> Steps[None]:
    if not leg.hears:
        switch.ring(leg)
    yield from ()


@application("hangup")
def _hangup(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    switch.hangup(leg, argument or "NORMAL_CLEARING")
    yield from ()


@application("set")
def _set(_switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    name, _, value = argument.partition("=")
    leg.set(name.strip(), value)
    yield from ()


@application("export")
def _export(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    yield from _set(switch, leg, argument.removeprefix("nolocal:"))


@application("unset")
def _unset(_switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    leg.set(argument.strip(), None)
    yield from ()


@application("multiset")
def _multiset(_switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    for pair in separate(argument, " "):
        name, _, value = pair.partition("=")
        leg.set(name, value)
    yield from ()


@application("sleep")
def _sleep(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    until = switch.now + (int(argument) if argument.isdigit() else 0) * MILLISECOND
    while leg.ready and not leg.break_flag and switch.now < until:
        yield from parse_all(switch, leg)
        yield max(until - switch.now, 0)
    leg.break_flag = False


@application("playback")
def _playback(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    ended = yield from play(switch, leg, argument)
    leg.set("current_application_response", "FILE NOT FOUND" if ended == "missing" else "FILE PLAYED")
    leg.set("playback_last_status", ended)


@application("endless_playback")
def _endless_playback(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    ended = "done"
    while leg.ready and ended == "done":
        ended = yield from play(switch, leg, argument)


@application("record")
def _record(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    """Arguments: path, most seconds, and what counts as silence, which nobody in a simulator ever is."""
    path, *rest = argument.split(" ")
    until = switch.now + int(rest[0]) * SECOND if rest and rest[0].isdigit() else FOREVER
    recording.start(switch, leg, path)
    leg.break_flag = False
    while leg.ready and not leg.break_flag and (until == FOREVER or switch.now < until):
        yield FOREVER if until == FOREVER else until - switch.now
    leg.break_flag = False
    recording.stop(switch, leg, path)


@application("record_session")
def _record_session(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    recording.start(switch, leg, argument.split("+", 1)[0])
    yield from ()


@application("stop_record_session")
def _stop_record_session(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    recording.stop(switch, leg, argument)
    yield from ()


@application("event")
def _event(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    headers = dict(pair.partition("=")[::2] for pair in argument.split(","))
    if headers.get("Event-Name") == "CUSTOM":
        subclass = headers.get("Event-Subclass", "")
        if switch.wanted(subclass):
            switch.bus.emit("CUSTOM", leg.snapshot(), subclass=subclass, lane=leg.uuid)
        else:
            switch.bus.burn()
    yield from ()


@application("log")
@application("info")
def _unseen(_switch: Switch, _leg: Channel, _argument: str) -> Steps[None]:
    yield from ()


@application("play_and_get_digits")
def _play_and_get_digits(switch: Switch, leg: Channel, argument: str) -> Steps[None]:
    """Arguments: min max tries timeout(ms) terminators file invalid_file variable regexp digit_timeout(ms)."""
    words = [*argument.split(" "), *[""] * 10]
    least, most, tries, timeout = (int(word) if word.isdigit() else 1 for word in words[:4])
    terminators, prompt, invalid, variable, pattern = words[4:9]
    left = max(tries, 1)
    while leg.ready and left:
        left -= 1
        yield from play(switch, leg, prompt, digits="0123456789*#")
        got = yield from _collect(switch, leg, most, terminators, timeout * MILLISECOND)
        if len(got) >= least and re.fullmatch(pattern or ".*", got):
            leg.set(variable, got)
            return
        if invalid:
            yield from play(switch, leg, invalid)


def _collect(switch: Switch, leg: Channel, most: int, terminators: str, patience: int) -> Steps[str]:
    got = ""
    until = switch.now + patience
    while leg.ready and len(got) < most and switch.now < until:
        if leg.digits:
            digit = tell_digit(switch, leg)
            if digit in terminators:
                break
            got += digit
            until = switch.now + patience
        else:
            yield until - switch.now
    return got
