"""The services that a desk writes through, as the agent who sits at it."""

from orchestrator.service.customer_file import CustomerFile
from orchestrator.service.deciding import Who
from orchestrator.service.work import Work
from web.access.visitor import me
from web.parts import parts


def file() -> CustomerFile:
    """The files of customers."""
    reading = parts().reading
    return CustomerFile(reading.desk, reading.log, reading.vault, region=parts().settings.region)


def work() -> Work:
    """Work orders."""
    reading = parts().reading
    return Work(reading.desk, reading.log, region=parts().settings.region)


def who() -> Who:
    """Whoever sits at the desk, as events name them."""
    return Who(actor=f"agent:{me().agent_id}", roles=me().roles)
