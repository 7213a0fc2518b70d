"""Who uses a plugin that the engine keeps: it is not disabled or removed meanwhile, unless by force."""

from __future__ import annotations

from collections.abc import Iterator

from wharf.engine.containers.forward import driver_of
from wharf.engine.context import Context
from wharf.engine.plugins.record import PluginRecord


def users(context: Context, record: PluginRecord) -> Iterator[str]:
    """Yield what each of them is: "volume data", for example."""
    for name in context.volumes.of_driver(record.name):
        yield f"volume {name}"
    for network in context.networks.all():
        makers = (network.driver if network.remote else "", network.ipam_driver if network.address_space else "")
        if any(maker and context.plugins.find(maker) is record for maker in makers):
            yield f"network {network.name}"
    for container in context.registry:
        if container.state.alive and context.plugins.find(driver_of(container)[0]) is record:
            yield f"the log of container {container.name}"
