"""What pages are told as it happens, by server-sent events."""

from web.push.frames import Audience
from web.push.hub import Hub, Renderer, TooManyStreams
from web.push.stream import Stream

__all__ = ["Audience", "Hub", "Renderer", "Stream", "TooManyStreams"]
