"""Logs for people (on a terminal) and programs (JSON lines), in which no telephone number can stand (law 11).

Every line, ours or a library's, an exception's text included, passes `redact` last. That is the second net: the first
is not to log numbers and names at all.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

NUMBER: Final = "[number]"
WITHHELD: Final = "[withheld]"
# Shorter digit strings are extensions, service codes, ports and counts, which belong to no private person.
_FEWEST_DIGITS: Final = 7
# The digits may be of any script (\d knows full-width ones too) and set apart as people write numbers.
_NUMBER_LIKE: Final = rf"\+?\(?\d(?:[\s().\-/\u00a0]{{0,2}}\d){{{_FEWEST_DIGITS - 1},}}"
# What has as many digits and is none: our ids, hex digests and addresses in memory, dates and times, IPv4 addresses.
_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_HEX: Final = r"0x[0-9a-f]+|(?<![0-9a-zA-Z])(?=[0-9]*[a-f])[0-9a-f]{16,64}(?![0-9a-zA-Z])"
_TIME: Final = r"(?<!\d)(?:19|20)\d\d-[01]\d-[0-3]\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?(?!\d)"
_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4: Final = rf"(?<![\d.])(?:{_OCTET}\.){{3}}{_OCTET}(?![\d.])"
_TOKENS: Final = re.compile(rf"(?P<innocent>{_UUID}|{_HEX}|{_TIME}|{_IPV4})|{_NUMBER_LIKE}")
# Keys whose values are personal or secret whatever they look like.
_PRIVATE_KEYS: Final = re.compile(
    r"(?:^|_)(?:number|phone|ani|caller|caller_id|caller_name|callee|customer_name|email|digits|password|secret|kek)$"
)


def redact(text: str) -> str:
    """The text with everything that could be a telephone number (seven digits or more) replaced by `[number]`."""
    return _TOKENS.sub(lambda match: match[0] if match["innocent"] else NUMBER, text)


def _redact_value(key: str, value: object) -> object:
    if isinstance(value, str) and _PRIVATE_KEYS.search(key):
        return WITHHELD if value else value
    match value:
        case str():
            return redact(value)
        case bytes():
            return redact(value.decode(errors="replace"))
        case Mapping():
            return {str(each): _redact_value(str(each), inner) for each, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_redact_value(key, inner) for inner in value]
        case bool() | int() | float() | None:
            return value  # positions, versions, durations: a number of a person is never an int with us
        case _:
            return redact(repr(value))


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """As a structlog processor: `redact` on every value, `[withheld]` for keys that name something private."""
    return {key: value if key in _OURS else _redact_value(key, value) for key, value in event.items()}


# Made by the processors themselves.
_OURS: Final = frozenset({"timestamp", "level", "_record", "_from_structlog"})


def configure(level: str = "info", *, stream: TextIO | None = None, for_people: bool | None = None) -> None:
    """Set up logging for this process: to `stream` (stderr), readable where that is a terminal, else JSON lines.

    `level` is one of RINGLEDGER_LOG_LEVEL's. May be called again; the last call counts.
    """
    stream = sys.stderr if stream is None else stream
    for_people = stream.isatty() if for_people is None else for_people
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        redact_event,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _for_people(stream) if for_people else structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _for_people(stream: TextIO) -> Processor:
    # The exception is text by then, and redacted; a prettier rendering would begin anew from the object.
    return structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)


def get(name: str, **context: Any) -> structlog.stdlib.BoundLogger:  # noqa: ANN401 - whatever a line may carry
    """The logger of a room, with what each of its lines carries. Values are redacted; ints and floats are not."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name, **context)
    return logger
