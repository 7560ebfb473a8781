"""One client of the event socket, without a socket: bytes come in, bytes go out (mod_event_socket's listener)."""

from collections import deque
from typing import Final

from freeswitch.simulator import wire
from freeswitch.simulator.bus import Event
from freeswitch.simulator.model import Answer, Model
from freeswitch.simulator.timeline import MILLISECOND

_FULL: Final = 64 * 1024
"""Bytes written ahead; beyond them events wait in the queue, as they do while the real one's socket blocks."""

_NAMES: Final = """
CUSTOM CLONE CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER CHANNEL_HANGUP
CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_BRIDGE
CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK
CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID API LOG INBOUND_CHAN OUTBOUND_CHAN STARTUP SHUTDOWN PUBLISH
UNPUBLISH TALK NOTALK SESSION_CRASH MODULE_LOAD MODULE_UNLOAD DTMF MESSAGE PRESENCE_IN NOTIFY_IN PRESENCE_OUT
PRESENCE_PROBE MESSAGE_WAITING MESSAGE_QUERY ROSTER CODEC BACKGROUND_JOB DETECTED_SPEECH DETECTED_TONE
PRIVATE_COMMAND HEARTBEAT TRAP ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE RE_SCHEDULE RELOADXML NOTIFY
PHONE_FEATURE PHONE_FEATURE_SUBSCRIBE SEND_MESSAGE RECV_MESSAGE REQUEST_PARAMS CHANNEL_DATA GENERAL COMMAND
SESSION_HEARTBEAT CLIENT_DISCONNECTED SERVER_DISCONNECTED SEND_INFO RECV_INFO RECV_RTCP_MESSAGE
SEND_RTCP_MESSAGE CALL_SECURE NAT RECORD_START RECORD_STOP PLAYBACK_START PLAYBACK_STOP CALL_UPDATE FAILURE
SOCKET_DATA MEDIA_BUG_START MEDIA_BUG_STOP CONFERENCE_DATA_QUERY CONFERENCE_DATA CALL_SETUP_REQ
CALL_SETUP_RESULT CALL_DETAIL DEVICE_STATE TEXT SHUTDOWN_REQUESTED ALL
"""

EVENT_NAMES: Final = frozenset(_NAMES.split())
"""Names that the switch knows; others in an `event` command count as no keyword."""


class Connection:
    """One client. `outgoing` is what to send; `closing` says that the socket is to be closed once that is sent."""

    def __init__(self, model: Model, password: str) -> None:
        self._model = model
        self._password = password
        self._reader = wire.RequestReader()
        self._waiting: Answer | None = None
        self._backlog: deque[wire.Request] = deque()
        self._queue: deque[Event] = deque()
        self._lost = 0
        self._authorised = False
        self._listening = False
        self._form = "plain"
        self._names: set[str] = set()
        self._subclasses: set[str] = set()
        self._all_subclasses = False
        self._filters: list[tuple[str, str]] = []
        self._look_at = 0
        self.outgoing = bytearray(wire.GREETING)
        self.closing = False
        self.killed = False
        """Dropped in the middle of whatever was being sent."""

    @property
    def wants(self) -> set[str]:
        """Names and subclasses of the events that it listens to; `ALL` among them means every one."""
        if not self._listening:
            return set()
        wanted = self._names | self._subclasses
        return wanted | {"ALL"} if self._all_subclasses else wanted

    # --- in ------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: int) -> bool:
        """Bytes from the client. Whatever they are, they make the switch look at its queue of events at once.

        Returns whether there may be anything to do or to say.
        """
        self._look_at = now
        if self.closing:
            return True
        requests = self._reader.feed(data)
        self._backlog.extend(requests)
        self._work(now)
        if requests or self._queue or self.outgoing:
            return True
        self.flush(now)
        return False

    def _work(self, now: int) -> None:
        while self._backlog and self._waiting is None and not self.closing:
            self._handle(self._backlog.popleft(), now)

    def _handle(self, request: wire.Request, now: int) -> None:
        verb = request.line.split(" ", 1)[0].lower()
        if not self._authorised:
            self._authorise(request.line)
        elif verb in {"api", "bgapi", "sendmsg", "sendevent"}:
            self._ask(request, now)
        elif verb.startswith("exit"):
            self._reply("+OK bye")
            self.close(wire.GOODBYE)
        else:
            self._reply(self._settings(verb, request.line))

    def _authorise(self, line: str) -> None:
        verb, _, given = line.partition(" ")
        if verb.lower() != "auth":
            self._reply("-ERR command not found")
        elif given == self._password:
            self._authorised = True
            self._reply("+OK accepted")
        else:
            self._reply("-ERR invalid")
            self.close(wire.GOODBYE)

    def _ask(self, request: wire.Request, now: int) -> None:
        answer = self._model.request(request, now)
        if answer.text is None:
            self._waiting = answer
            answer.when_done(self._answered)
        else:
            self._send(answer)

    def _answered(self) -> None:
        answer, self._waiting = self._waiting, None
        if answer is not None:
            self._send(answer)
            self._work(self._model.now)

    def _send(self, answer: Answer) -> None:
        text = answer.text or ""
        self.outgoing += wire.api_response(text) if answer.kind == "api" else wire.reply(text)

    def _reply(self, text: str) -> None:
        self.outgoing += wire.reply(text)

    def _settings(self, verb: str, line: str) -> str:
        words = line.split()
        match verb:
            case "event":
                return self._event(words[1:])
            case "nixevent":
                return self._nixevent(words[1:])
            case "noevents":
                if not self._listening:
                    return "-ERR not listening for events"
                self._listening = False
                self._names.clear()
                self._subclasses.clear()
                self._all_subclasses = False
                self._queue.clear()
                return "+OK no longer listening for events"
            case "filter":
                return self._filter(words[1:])
            case "linger" | "nolinger":
                return "-ERR not controlling a session"
            case "log":
                return f"+OK log level {words[1] if len(words) > 1 else ''} [7]"
            case "nolog":
                return "+OK no longer logging"
            case _:
                return "-ERR command not found"

    def _event(self, words: list[str]) -> str:
        if words and words[0].lower() in {"plain", "json", "xml"}:
            form = words.pop(0).lower()
            if form == "xml":
                return "-ERR the simulator speaks plain and json"
            self._form = form
        keys = 0
        custom = False
        for word in words:
            if custom:
                self._subclasses.add(word)
            elif word.upper() in EVENT_NAMES:
                keys += 1
                self._names.add(word.upper())
                custom = word.upper() == "CUSTOM"
                self._all_subclasses = self._all_subclasses or word.upper() == "ALL"
        if not keys:
            return "-ERR no keywords supplied"
        self._listening = True
        return f"+OK event listener enabled {self._form}"

    def _nixevent(self, words: list[str]) -> str:
        keys = 0
        custom = False
        for word in words:
            name = word.upper()
            if custom:
                self._subclasses.discard(word)
            elif name in EVENT_NAMES:
                keys += 1
                custom = name == "CUSTOM"
                if name == "ALL":
                    self._names.clear()
                elif not custom:
                    if "ALL" in self._names:
                        self._names = set(EVENT_NAMES) - {"ALL"}
                    self._names.discard(name)
        return "+OK events nixed" if keys else "-ERR no keywords supplied"

    def _filter(self, words: list[str]) -> str:
        if len(words) < 2:  # noqa: PLR2004 - a header and a value
            return "-ERR invalid syntax"
        if words[0].lower() == "delete":
            name, value = words[1], " ".join(words[2:])
            if name.lower() == "all":
                self._filters.clear()
            else:
                self._filters = [pair for pair in self._filters if pair[0] != name or (value and pair[1] != value)]
            return f"+OK filter deleted. [{name}][{value}]"
        if words[0].lower() == "add":
            words.pop(0)
        name, value = words[0], " ".join(words[1:])
        self._filters.append((name, value))
        return f"+OK filter added. [{name}]=[{value}]"

    # --- out -----------------------------------------------------------------------------------------------------

    def offer(self, events: list[Event]) -> None:
        """Events that were told; those that it listens to join its queue, as long as there is room."""
        if not self._listening or self.closing:
            return
        for event in events:
            if not self._wanted(event):
                continue
            if len(self._queue) >= self._model.options.queue_limit:
                self._lost += 1
                if self._lost > self._model.options.lost_limit:
                    self.kill()
                    return
            else:
                self._queue.append(event)

    def _wanted(self, event: Event) -> bool:
        if "ALL" not in self._names:
            if event.name not in self._names:
                return False
            if event.name == "CUSTOM" and not self._all_subclasses and event.subclass not in self._subclasses:
                return False
        if not self._filters:
            return True
        return any(value in event.get(name) for name, value in self._filters)

    def flush(self, now: int) -> None:
        """Write what it may be told now: nothing while a blocking `api` works, and only so often while it is silent."""
        if self._waiting is not None or self.closing or now < self._look_at:
            return
        while self._queue and len(self.outgoing) < _FULL:
            self.outgoing += wire.frame(self._queue.popleft(), self._form)
        poll = self._model.options.poll_ms * MILLISECOND
        if poll and not self._queue:
            # It slept since it last looked and goes on sleeping in whole turns of the poll.
            self._look_at += ((now - self._look_at) // poll + 1) * poll

    def next_look(self) -> int | None:
        """When it looks at its queue next by itself; None when there is nothing to look for."""
        if not self._queue or self._waiting is not None or self.closing:
            return None
        return self._look_at

    @property
    def stalled(self) -> bool:
        """More was written than the client has taken."""
        return len(self.outgoing) >= _FULL

    @property
    def queued(self) -> int:
        return len(self._queue)

    def close(self, text: str) -> None:
        """Say goodbye and let the server close."""
        self.outgoing += wire.notice(text)
        self.closing = True

    def finish(self, text: str) -> None:
        """Say all that waits, however much, then goodbye, and let the server close."""
        while self._queue and not self.closing:
            self.outgoing += wire.frame(self._queue.popleft(), self._form)
        if not self.closing:
            self.close(text)

    def cut(self, now: int) -> None:
        """Send all that waits but the end of the last frame, and close (a fault that was asked for)."""
        self._look_at = min(self._look_at, now)
        self.flush(now)
        cut = b'Content-Length: 4000\nContent-Type: text/event-json\n\n{"Event-Name":"CHANNEL_ST'
        self.outgoing += cut
        self.closing = True

    def kill(self) -> None:
        """Drop the client in the middle of an event, as the real one does with those that do not keep up."""
        if self._queue and not self.outgoing:
            whole = wire.frame(self._queue.popleft(), self._form)
            self.outgoing += whole[: len(whole) // 2]
        self.closing = self.killed = True
