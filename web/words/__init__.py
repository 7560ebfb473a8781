"""Events and codes in people's words, in the language of whoever looks: history, replay, timelines and desk all use it."""

from web.words.codes import code
from web.words.events import Names, sentence
from web.words.decisions import Line, reasons

__all__ = ["Line", "Names", "code", "reasons", "sentence"]
