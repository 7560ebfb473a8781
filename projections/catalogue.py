"""The read models there are, in the order in which they are listed."""

from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import Final

from projections import (
    agent_workload,
    audit_trail,
    blacklist,
    contact_log,
    customer_timeline,
    customers,
    half_hours,
    queue_state,
    recordings,
    work_orders,
)
from projections.base import Projection

MODULES: Final[tuple[ModuleType, ...]] = (
    queue_state,
    agent_workload,
    contact_log,
    customer_timeline,
    customers,
    work_orders,
    audit_trail,
    blacklist,
    half_hours,
    recordings,
)


def projection_of(module: ModuleType) -> Projection:
    """The projection that a module of the common shape is."""
    return Projection(
        name=module.NAME,
        version=module.VERSION,
        tables=module.TABLES,
        indexes=module.INDEXES,
        apply=module.apply,
        regional=getattr(module, "REGIONAL", False),
    )


PROJECTIONS: Final[Mapping[str, Projection]] = MappingProxyType(
    {module.NAME: projection_of(module) for module in MODULES}
)
