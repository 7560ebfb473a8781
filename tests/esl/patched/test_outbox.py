"""What is written together goes out together, whole and in order, whatever the peer takes of it."""

import socket as plain
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
from gevent import socket

from orchestrator.esl.outbox import Letter, Outbox
from tests.lab.patience import until


@contextmanager
def pair(kind: int) -> Iterator[tuple[Outbox, socket.socket, list[str]]]:
    """An outbox, the far end of its socket, and why it was lost."""
    near, far = socket.socketpair(plain.AF_UNIX, kind)
    lost: list[str] = []
    outbox = Outbox(near, lost.append)
    try:
        yield outbox, far, lost
    finally:
        outbox.close()
        near.close()
        far.close()


def test_what_is_written_in_one_breath_is_one_packet_and_the_next_is_another() -> None:
    with pair(plain.SOCK_SEQPACKET) as (outbox, far, _):
        with outbox.together():
            outbox.write(Letter(b"answer\n\n"))
            outbox.write(Letter(b"ring\n\n"))
            assert not outbox.idle(), "nothing is out yet, and no poke may come between"
        outbox.write(Letter(b"hang up\n\n"))
        with outbox.together():
            pass
        assert outbox.idle()
        assert [far.recv(100), far.recv(100)] == [b"answer\n\nring\n\n", b"hang up\n\n"]


def test_a_peer_that_takes_half_gets_the_rest_in_order_but_not_what_must_no_longer_be_said() -> None:
    """What was begun is finished; what was not is asked again before it is written."""
    size = 300_000
    allowed = [True] * 8
    dropped: list[int] = []
    with pair(plain.SOCK_STREAM) as (outbox, far, lost):
        with outbox.together():
            for number in range(8):
                outbox.write(
                    Letter(
                        bytes([65 + number]) * size,
                        lambda number=number: allowed[number],  # type: ignore[misc]  # mypy sees no type for a default
                        lambda number=number: dropped.append(number),  # type: ignore[misc]
                    )
                )
        assert not outbox.idle()
        allowed[0] = allowed[5] = False
        heard = bytearray()

        def listen() -> None:
            while data := far.recv(65_536):
                heard.extend(data)

        listener = gevent.spawn(listen)
        until(lambda: outbox.idle() and len(heard) >= 7 * size, "the peer to have it all")
        listener.kill()
        assert dropped == [5]
        assert bytes(heard) == b"".join(bytes([65 + number]) * size for number in range(8) if number != 5)
        assert lost == []


def test_a_peer_that_is_gone_in_the_middle_of_a_breath_is_told_once() -> None:
    with pair(plain.SOCK_STREAM) as (outbox, far, lost):
        far.close()
        with outbox.together():
            outbox.write(Letter(b"answer\n\n"))
            outbox.write(Letter(b"ring\n\n"))
        outbox.write(Letter(b"hang up\n\n"))
        assert len(lost) == 1
        assert outbox.idle()
