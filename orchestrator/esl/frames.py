"""Frames of the event socket: bytes in, whole frames out, wherever the network cut them.

A frame is a block of `Name: value` lines, an empty line, and as many bytes of body as its Content-Length says. Nothing
here knows a socket. What a broken or hostile peer sends is contained: an odd frame is counted in `flaws` and passed on
as far as it can be read; only a length that cannot be followed ends the stream, with a `FrameError`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

# The largest answer that we ask for is `show channels` on a full switch: 1 500 channels of about 1 kB. An event is 2 to
# 10 kB. Four times the former is generous; ten bytes of header saying "100 MB" must not fill the memory.
MAX_BODY = 8 * 1024 * 1024
MAX_HEAD = 64 * 1024

# What nearly every frame of a busy connection starts with: events, and answers to commands; the general way below reads
# any other.
_EVENT_HEAD = re.compile(rb"Content-Length: ([0-9]{1,15})\nContent-Type: ([!-~]{1,99})\n\n")
_RESPONSE_HEAD = re.compile(rb"Content-Type: api/response\nContent-Length: ([0-9]{1,15})\n\n")
_REPLY = re.compile(rb"Content-Type: command/reply\nReply-Text: ([ -~]{1,999})\n(?:Job-UUID: ([!-~]{1,99})\n)?\n")
_LENGTH = re.compile(r"[0-9]{1,15}")


class FrameError(Exception):
    """The stream cannot be followed any further. The connection must be closed and made anew."""


class Frame:
    """One frame: its content type, its body, and its header block as it came."""

    __slots__ = ("_headers", "body", "content_type", "head")

    def __init__(self, content_type: str, body: bytes, head: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.content_type = content_type
        self.body = body
        self.head = head
        self._headers = headers

    def header(self, name: str) -> str:
        """The value of the first header of this name, in any case of letters; empty where there is none."""
        if self._headers is None:
            self._headers = _headers(self.head.decode("utf-8", "replace"))
        return self._headers.get(name.lower(), "")

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 become U+FFFD."""
        return self.body.decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"Frame({self.content_type!r}, {len(self.body)} bytes)"


class FrameReader:
    """Cuts a byte stream into frames. `flaws` counts, by name, what was odd but could be passed over."""

    def __init__(self, *, max_head: int = MAX_HEAD, max_body: int = MAX_BODY) -> None:
        self.flaws: Counter[str] = Counter()
        self._max_head = max_head
        self._max_body = max_body
        self._buffer = bytearray()
        self._at = 0  # what is before this index has been read
        self._scanned = 0  # no empty line begins before this index
        self._head: bytes | None = None  # the block whose body is awaited
        self._headers: Mapping[str, str] | None = None  # of that block, where it had to be read
        self._content_type = ""
        self._length = 0
        self._broken = ""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take in bytes and yield each frame that they complete.

        Raises FrameError, after the frames before it were yielded, at a header block or a body over its limit and at a
        length that is no number; every later call raises it again.
        """
        del self._buffer[: self._at]
        self._scanned = max(0, self._scanned - self._at)
        self._at = 0
        self._buffer += data
        return self._frames()

    def cut(self) -> str:
        """What is missing where the stream ended now, in words; empty where it ended between two frames."""
        rest = self._buffer[self._at :]
        if self._head is not None:
            return f"a body of {self._length} bytes was cut after {len(rest)}"
        if rest.strip(b"\r\n"):
            return f"a header block was cut after {len(rest)} bytes"
        return ""

    def _frames(self) -> Iterator[Frame]:
        buffer = self._buffer
        while True:
            if self._broken:
                raise FrameError(self._broken)
            if self._head is None and not self._read_head():
                return
            end = self._at + self._length
            if len(buffer) < end:
                return
            body = bytes(memoryview(buffer)[self._at : end])
            self._at = end
            frame = Frame(self._content_type, body, self._head or b"", self._headers)
            self._head = self._headers = None
            yield frame

    def _read_head(self) -> bool:
        """Take one header block off the buffer; false where it has not arrived whole."""
        buffer = self._buffer
        if self._at == len(buffer):
            return False
        usual = _EVENT_HEAD.match(buffer, self._at)
        if usual:
            self._at = usual.end()
            self._content_type = usual[2].decode("ascii")
            self._await_body(int(usual[1]), usual[0][:-2])
            return True
        return self._read_answer() or self._read_any()

    def _read_answer(self) -> bool:
        """Take an answer to a command off the buffer, as the switch writes those; false for anything else."""
        if reply := _REPLY.match(self._buffer, self._at):
            said, job = reply[1].decode("ascii").strip(), (reply[2] or b"").decode("ascii")
            self._content_type = "command/reply"
            self._headers = {"content-type": self._content_type, "reply-text": said, "job-uuid": job}
            self._at = reply.end()
            self._await_body(0, reply[0][:-2])
        elif response := _RESPONSE_HEAD.match(self._buffer, self._at):
            self._content_type = "api/response"
            self._at = response.end()
            self._await_body(int(response[1]), response[0][:-2])
        return self._head is not None

    def _read_any(self) -> bool:
        buffer = self._buffer
        while True:
            end = buffer.find(b"\n\n", max(self._at, self._scanned))
            if end < 0:
                self._scanned = max(0, len(buffer) - 1)
                if len(buffer) - self._at > self._max_head:
                    self._break(f"a header block of more than {self._max_head} bytes")
                return False
            size = end - self._at
            if size > self._max_head:
                self._break(f"a header block of {size} bytes, more than {self._max_head}")
            head = bytes(buffer[self._at : end])
            self._at = end + 2
            if head.strip(b"\r\n"):
                break
            self.flaws["empty header block"] += 1
        self._understand(head)
        return True

    def _understand(self, head: bytes) -> None:
        text = head.decode("utf-8", "replace")
        self._headers = headers = _headers(text)
        self._content_type = headers.get("content-type", "")
        if not self._content_type:
            self.flaws["no Content-Type"] += 1
        if "\ufffd" in text:
            self.flaws["header block is no UTF-8"] += 1
        length = headers.get("content-length", "0")
        if not _LENGTH.fullmatch(length):
            self._break(f"a Content-Length that is no number ({length[:40]!r})")
        self._await_body(int(length), head)

    def _await_body(self, length: int, head: bytes) -> None:
        if length > self._max_body:
            self._break(f"a frame of {length} bytes, more than the {self._max_body} that any answer of ours has")
        self._length = length
        self._head = head

    def _break(self, what: str) -> None:
        self._broken = f"the event socket announced {what}; the stream cannot be followed and is closed"
        self._buffer.clear()
        self._at = self._scanned = 0
        raise FrameError(self._broken)


def _headers(head: str) -> dict[str, str]:
    """The lines of a header block by lower-case name, the first of each; lines without a colon are passed over."""
    found: dict[str, str] = {}
    for line in head.split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), value.strip())
    return found
