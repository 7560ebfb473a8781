"""Events and codes in words, in the reader's language: history, replay, timelines and desk use it."""

from web.words.codes import code, origin, reason
from web.words.decisions import Line, reasons
from web.words.events import sentence
from web.words.names import Names

__all__ = ["Line", "Names", "code", "origin", "reason", "reasons", "sentence"]
