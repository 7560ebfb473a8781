"""The services that programs write through, in the name of whoever sent the request."""

from orchestrator.service.deciding import Who
from web.access.visitor import me
from web.desk.files import file, work

__all__ = ["file", "who", "work"]


def who() -> Who:
    """The program or person, as events name them."""
    return Who(actor=me().actor, roles=me().roles)
