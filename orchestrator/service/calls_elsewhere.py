"""Files about calls that switches of other machines served by themselves, through the door of each (`fetching.Door`).

    importer ── GET /calls · GET /calls/LEG · DELETE /calls/LEG (done, aside), proof ──▶ door beside the switch
             ◀── sealed: names · what it says · that it is so ───────────────────────

Callers' names are in them, so what goes over the line is sealed under the site's key and bound to the question and its
moment: nobody else can read it, nor give another answer, nor an old one. Imported is each call once: the engine knows
which it has, and a file goes only when its call is in the log and it says what was read.
"""

import re
import time
from http.client import HTTPConnection, HTTPException
from typing import Final

import msgspec
import structlog

from orchestrator.service.call_files import LARGEST, CallFiles, Told, Unreached, Unreadable
from orchestrator.service.fetching import MOMENT, PROOF, TIMEOUT_S, WISH, Calls, prover, question
from orchestrator.settings import Address
from orchestrator.vault import Tampered, Vault

log = structlog.get_logger(__name__)

PATH: Final = re.compile(r"/calls(?:/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?")
LIST, READ, DONE, PUT_ASIDE = "list", "read", "done", "aside"
_KEY: Final = "calls fetched"
_MOST: Final = 2 * LARGEST
_OK: Final = 200
_WHY: Final = "the importing engine could not use it; its log says why"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a door says; `unreadable`: why a file has nothing to say; `marks`: of the files, beside `legs`, where it
    tells them.
    """

    legs: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    told: Told | None = None
    unreadable: str = ""


def door_of(files: CallFiles, vault: Vault) -> Calls:
    """What a door says of these files."""

    def say(path: str, wish: str, asked: str) -> bytes:
        found = PATH.fullmatch(path)
        if found is None:
            raise ValueError(path)
        answer = msgspec.msgpack.encode(_answer(files, found[1] or "", wish))
        return vault.seal_bytes(_KEY, answer, asked.encode())

    return say


def _answer(files: CallFiles, leg: str, wish: str) -> Answer:
    what, named, digest = wish.partition(":")
    if what == LIST and not leg:
        waiting = files.waiting()
        for other in [each for each in waiting if not PATH.fullmatch(f"/calls/{each}")]:
            del waiting[other]
            try:
                files.put_aside(other, "its name is no call's")
            except OSError as error:
                log.warning("call-record-not-put-aside", file=other, why=str(error))
        return Answer(legs=tuple(waiting), marks=tuple(waiting.values()))
    if what == READ and leg:
        try:
            return Answer(told=files.told(leg))
        except Unreadable as error:
            return Answer(unreadable=str(error))
    if what == DONE and leg:
        files.done(leg, digest)
    elif what == PUT_ASIDE and leg:
        files.put_aside(leg, _WHY, digest if named else None)
    else:
        raise ValueError(wish)
    return Answer()


class CallsElsewhere:
    """The files of one other machine (`call_files.Place`)."""

    def __init__(self, door: Address, vault: Vault, *, timeout_s: float = TIMEOUT_S) -> None:
        self._door = door
        self._vault = vault
        self._prove = prover(vault)
        self._timeout_s = timeout_s
        self._alarmed: dict[str, str] = {}

    def waiting(self) -> dict[str, str]:
        said = self._ask("GET", "/calls", LIST)
        marks = said.marks or ("",) * len(said.legs)  # one of before tells none
        return {leg: mark for leg, mark in zip(said.legs, marks, strict=False) if PATH.fullmatch(f"/calls/{leg}")}

    def told(self, leg: str) -> Told:
        answer = self._ask("GET", f"/calls/{leg}", READ)
        if answer.told is None:
            raise Unreadable(answer.unreadable or "it is not there any more")
        return answer.told

    def done(self, leg: str, digest: str) -> None:
        self._ask("DELETE", f"/calls/{leg}", f"{DONE}:{digest}")

    def put_aside(self, leg: str, why: str, digest: str | None = None) -> None:
        if self._alarmed.get(leg) != why:
            self._alarmed[leg] = why
            log.error("call-record-unreadable", file=leg, door=str(self._door), why=why, remedy="it is kept there")
        self._ask("DELETE", f"/calls/{leg}", PUT_ASIDE if digest is None else f"{PUT_ASIDE}:{digest}")
        self._alarmed.pop(leg, None)

    def _ask(self, method: str, path: str, wish: str) -> Answer:
        """The door's answer. Raises `Unreached` where none comes, and another OSError for one that is none."""
        connection = HTTPConnection(self._door.host, self._door.port, timeout=self._timeout_s)
        moment = str(int(time.time()))
        asked = question(path, wish, moment)
        try:
            try:
                connection.request(method, path, headers={WISH: wish, MOMENT: moment, PROOF: self._prove(asked)})
                with connection.getresponse() as answer:
                    status, body = answer.status, answer.read(_MOST)
            except (OSError, HTTPException) as error:
                raise Unreached(f"{self._door} does not answer ({type(error).__name__}: {error})") from error
            if status != _OK:
                raise OSError(f"{self._door} answered {status}")
            return msgspec.msgpack.decode(self._vault.open_bytes(_KEY, body, asked.encode()), type=Answer)
        except (Tampered, msgspec.DecodeError) as error:
            raise OSError(f"{self._door} gave no answer that can be used ({type(error).__name__})") from error
        finally:
            connection.close()
