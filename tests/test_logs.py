"""No telephone number reaches a log, whoever writes the line (law 11)."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from orchestrator import logs

NUMBERS = (
    "13800138000",
    "+86 138 0013 8000",
    "+86-755-23456789",
    "(0755) 2345 6789",
    "0755.2345.6789",
    "１３８００１３８０００",
    "sip:13800138000@10.1.2.3:5060",
    "%2B8613800138000",
    "number=13800138000;",
    "a13800138000b",
    "2026-99-13800138000",
    "138\u00a00013\u00a08000",
)
INNOCENT = (
    "contact-3f2c1b0a-1234-4567-8901-123456789012",
    "extension 1001 on port 5060",
    "10.20.130.140:8021",
    "2026-11-22 14:10:52.710",
    "2026-11-22T14:10:52.710123",
    "<object at 0x7f1234567890>",
    "digest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "dialled 95554, 12345",
)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What was logged; the process's logging is put back afterwards."""
    root = logging.getLogger()
    handlers, level, ours = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**ours)


@pytest.mark.parametrize("text", NUMBERS)
def test_what_could_be_a_telephone_number_is_replaced(text: str) -> None:
    shown = logs.redact(text)
    assert logs.NUMBER in shown
    assert "8000" not in shown
    assert "6789" not in shown
    assert "８０００" not in shown


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_none_stays_readable(text: str) -> None:
    assert logs.redact(text) == text


def test_numbers_are_gone_from_every_place_of_a_line(stream: io.StringIO) -> None:
    logs.configure("debug", stream=stream, for_people=False)
    log = logs.get("esl", node="node1")
    with structlog.contextvars.bound_contextvars(trace="caller 13800138000"):
        log.info(
            "ringing 13800138000",
            headers={"From": "<sip:13800138000@x>", "nested": ["13800138000"]},
            raw=b"13800138000",
        )
        log.info("positional %s", "13800138000")
    try:
        int("no such number 13800138000")
    except ValueError:
        log.exception("failed", caller_name="Wang Wei")
    text = stream.getvalue()
    assert "8000" not in text
    assert "Wang" not in text
    assert [json.loads(line)["level"] for line in text.splitlines()] == ["info", "info", "error"]


def test_a_librarys_line_is_redacted_too_and_says_which_library(stream: io.StringIO) -> None:
    logs.configure("info", stream=stream, for_people=False)
    logging.getLogger("some.library").warning("lost %s", "13800138000")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["logger"], line["level"]) == (f"lost {logs.NUMBER}", "some.library", "warning")


def test_what_our_own_ids_counts_and_times_say_is_kept(stream: io.StringIO) -> None:
    logs.configure("info", stream=stream, for_people=False)
    logs.get("store").info("appended", position=123456789, seconds=0.00123456789, contact=INNOCENT[0])
    line = json.loads(stream.getvalue())
    assert line["position"] == 123456789
    assert line["seconds"] == 0.00123456789
    assert line["contact"] == INNOCENT[0]
    assert line["timestamp"].endswith("Z")


def test_the_level_decides_what_is_written(stream: io.StringIO) -> None:
    logs.configure("warning", stream=stream, for_people=False)
    logs.get("x").info("quiet")
    logs.get("x").warning("loud")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]


def test_people_get_readable_lines_without_numbers_also_for_exceptions(stream: io.StringIO) -> None:
    logs.configure("info", stream=stream, for_people=True)
    try:
        int("no such number 13800138000")
    except ValueError:
        logs.get("x").exception("failed")
    text = stream.getvalue()
    assert "Traceback" in text
    assert "8000" not in text
