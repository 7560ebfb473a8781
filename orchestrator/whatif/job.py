"""`python -m orchestrator.whatif.job`: one question, asked on standard input, answered on standard output.

A process of its own, for a day takes a minute of a processor: it gives way to everything else on the machine, takes no
more time and memory than it may, and whoever does not wait any more ends it. Standard error says how far it has come.
"""

import os
import resource
import sys
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from orchestrator.domain.kernel import Instant, Refused
from orchestrator.logs import redact
from orchestrator.store import KeyShelf, Log, Source, StoreError
from orchestrator.vault import Vault, VaultError
from orchestrator.whatif import asking
from orchestrator.whatif.changes import Wanted

MOST_S: Final = 1_800
"""Processor time that a question may take."""
_MOST_BYTES: Final = 6 << 30
_NICE: Final = 10


class Request(Struct, frozen=True, kw_only=True):
    """A question, and where the log is (as its reader) with its keys."""

    url: str
    kek_file: str
    first: int
    last: int
    seeds: int
    text: str = ""
    agents: int = 0
    queue_id: str = ""
    region: str
    """The site's, as `Wanted.region`."""


class Reply(Struct, frozen=True, kw_only=True):
    """The answer, or why there is none."""

    answer: asking.Answer | None = None
    code: str = ""
    message: str = ""


def reply(request: Request) -> Reply:
    """What to answer. `Away` and what keys raise are told like a refusal, for nobody here can do anything about it: in
    words that name no host, user or file, for they stand on a page. What was raised goes to standard error.
    """
    source = Source(request.url, name="ringledger what-if")
    try:
        log = Log(source, vault=Vault.unlock(Path(request.kek_file), KeyShelf(source)))
        wanted = Wanted(text=request.text, agents=request.agents, queue_id=request.queue_id, region=request.region)
        when = (Instant(request.first), Instant(request.last))
        return Reply(answer=asking.ask(log, when, wanted, seeds=request.seeds, progress=_tell))
    except Refused as refused:
        return Reply(code=refused.code, message=refused.message)
    except StoreError as error:
        told = Refused("database_away", "The database is away or cannot be read; try again soon.")
        return _away(told, error)
    except VaultError as error:
        told = Refused("keys_away", "The keys of personal data cannot be read; tell whoever runs this.")
        return _away(told, error)
    finally:
        source.close()


def _away(refused: Refused, error: Exception) -> Reply:
    sys.stderr.write(f"{redact(str(error))}\n")
    return Reply(code=refused.code, message=refused.message)


def _tell(done: int, plays: int) -> None:
    sys.stderr.write(f"{done} {plays}\n")
    sys.stderr.flush()


def main() -> None:
    """Bound what this process may take, and answer."""
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_S, MOST_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    sys.stdout.buffer.write(msgspec.json.encode(reply(request)))


if __name__ == "__main__":
    main()
