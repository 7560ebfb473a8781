"""The tape: everything that came into the runner, as it came, so that it can be driven through again.

Encrypted, because callers' numbers and names are on it; compressed; cut into segments; the oldest removed when all
together grow past their bound. Reading needs neither gevent nor a database, only the key-encryption key.
"""

from orchestrator.tape.form import Hole, Recorded
from orchestrator.tape.reader import inputs_of, read, segments
from orchestrator.tape.writer import TapeWriter

__all__ = ["Hole", "Recorded", "TapeWriter", "inputs_of", "read", "segments"]
