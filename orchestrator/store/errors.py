"""What can go wrong at the log, one name for each, so that callers can tell *try again* from *stop*."""


class StoreError(Exception):
    """The log could not do what was asked."""


class Away(StoreError):
    """The database cannot be reached. What was submitted stays queued and is stored when it is back."""


class Unsure(Away):
    """The database went away in the middle of a desk append: it is stored or it is not; ask again when it is back."""


class Deposed(StoreError):
    """The lease has gone to another process: nothing of what was submitted since will ever be written."""


class VersionConflict(StoreError):
    """Somebody else wrote the stream first (or our own numbering has a hole)."""

    def __init__(self, message: str, *, streams: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.streams = streams


class AlreadyHeld(StoreError):
    """Something that may be there once only is there already, on `stream`."""

    def __init__(self, message: str, *, stream: str) -> None:
        super().__init__(message)
        self.stream = stream


class WrongKind(StoreError):
    """An event, a stream and a way of appending that do not belong together (law 4)."""


class QueueFull(StoreError):
    """More events wait for the database than the writer is allowed to hold; none of this call's were taken."""


class WriterStopped(StoreError):
    """The writer was closed, or gave up after an error that it carries as its cause."""


class Corrupt(StoreError):
    """A stored event that cannot be read although its name and version are known."""


class SchemaMismatch(StoreError):
    """The database's tables are not the ones that this code knows; the message says what to do."""


class SpoolFailed(StoreError):
    """The spool has taken nothing of what was given: it is full, or its disk is, or that fails."""
