"""The frame reader is not led astray by anything that a peer can send."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.esl.frames import Frame, FrameError, FrameReader


def read(data: bytes, **limits: int) -> list[Frame]:
    return list(FrameReader(**limits).feed(data))


def frame(body: bytes, kind: str = "text/event-json") -> bytes:
    return f"Content-Length: {len(body)}\nContent-Type: {kind}\n\n".encode() + body


def test_a_frame_has_its_type_its_body_and_its_headers() -> None:
    (one,) = read(b"Content-Type: command/reply\nReply-Text: -ERR invalid: so\n\n")
    assert (one.content_type, one.body) == ("command/reply", b"")
    assert one.header("reply-text") == "-ERR invalid: so"
    assert one.header("Nothing") == ""


def test_a_body_may_look_like_frames() -> None:
    inside = frame(b"x") + b"\n\nContent-Length: 99\n\n"
    (one,) = read(frame(inside))
    assert one.body == inside


@given(bodies=st.lists(st.binary(max_size=300), max_size=8), cuts=st.lists(st.integers(0, 2_000), max_size=20))
def test_frames_are_the_same_wherever_the_network_cuts_them(bodies: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(frame(body) for body in bodies)
    reader = FrameReader()
    found: list[bytes] = []
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    for start, end in pairwise(edges):
        found += [one.body for one in reader.feed(whole[start:end])]
    assert found == bodies
    assert reader.cut() == ""


@given(st.binary(max_size=500))
def test_no_bytes_make_it_do_anything_but_yield_or_refuse(data: bytes) -> None:
    reader = FrameReader(max_head=100, max_body=100)
    try:
        for one in reader.feed(data):
            assert len(one.body) <= 100
    except FrameError as error:
        with pytest.raises(FrameError, match=str(error)[:20].replace("(", r"\(")):
            list(reader.feed(b""))


def test_a_frame_of_a_hundred_megabytes_is_refused_before_it_is_read_and_those_before_it_are_had() -> None:
    reader = FrameReader()
    frames = reader.feed(frame(b"good") + b"Content-Length: 104857600\nContent-Type: text/event-json\n\n{")
    assert next(frames).body == b"good"
    with pytest.raises(FrameError, match="a frame of 104857600 bytes, more than the 8388608"):
        next(frames)
    with pytest.raises(FrameError):
        list(reader.feed(frame(b"later")))


@pytest.mark.parametrize("length", ("many", "-1", "1e3", "+5", "0x10", "5 5", "٣", "9" * 20, ""))
def test_a_length_that_is_no_number_ends_the_stream(length: str) -> None:
    with pytest.raises(FrameError, match="no number"):
        read(f"Content-Length: {length}\nContent-Type: text/event-json\n\n".encode())


def test_a_header_block_without_end_is_refused_at_its_limit() -> None:
    reader = FrameReader(max_head=1_000)
    for _ in range(9):
        assert list(reader.feed(b"X: " + b"y" * 100 + b"\n")) == []
    with pytest.raises(FrameError, match="header block of more than 1000 bytes"):
        list(reader.feed(b"X: " + b"y" * 100 + b"\n"))


def test_a_header_block_that_arrives_whole_and_too_large_is_refused_too() -> None:
    with pytest.raises(FrameError, match="header block of 2"):
        read(b"X: " + b"y" * 2_000 + b"\n\n", max_head=1_000)


def test_a_frame_without_a_type_is_passed_on_and_counted() -> None:
    reader = FrameReader()
    first, second = reader.feed(b"Content-Length: 3\n\nabc" + frame(b"d"))
    assert (first.content_type, first.body, second.body) == ("", b"abc", b"d")
    assert reader.flaws == {"no Content-Type": 1}


def test_bytes_that_are_no_text_are_replaced_and_counted() -> None:
    reader = FrameReader()
    (one,) = reader.feed(b"Content-Type: command/reply\nReply-Text: \xff\xfe\n\n")
    assert one.header("Reply-Text") == "\ufffd\ufffd"
    assert reader.flaws == {"header block is no UTF-8": 1}
    (two,) = reader.feed(frame(b"\xff"))
    assert two.text == "\ufffd"


def test_lines_without_a_colon_and_empty_blocks_are_passed_over() -> None:
    reader = FrameReader()
    (one,) = reader.feed(b"\n\nnonsense\nContent-Type: auth/request\n\n")
    assert one.content_type == "auth/request"
    assert reader.flaws == {"empty header block": 1}


def test_where_a_stream_was_cut_is_said() -> None:
    reader = FrameReader()
    list(reader.feed(b"Content-Le"))
    assert reader.cut() == "a header block was cut after 10 bytes"
    list(reader.feed(b"ngth: 10\nContent-Type: text/event-json\n\nabc"))
    assert reader.cut() == "a body of 10 bytes was cut after 3"
    list(reader.feed(b"defghij"))
    assert reader.cut() == ""
