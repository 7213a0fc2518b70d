"""How the host can lead to a container, as its places in networks have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wharf.network import options
from wharf.network.endpoint import Endpoint, gateway_endpoint
from wharf.network.ports import Reach
from wharf.network.records import Network


def reach_of(
    endpoints: Sequence[Endpoint], network_of: Callable[[str], Network], *, plugged: Callable[[Network], bool]
) -> Reach:
    """Return what a container with these endpoints can be reached by.

    ``network_of`` finds a network by its id; ``plugged`` tells whether a network's plugins publish ports.
    """
    versions, routed, default_ip = [], [], ""
    for version in (4, 6):
        leading = gateway_endpoint(list(endpoints), version)
        if leading is None or leading.driver != "bridge":
            continue
        network = network_of(leading.network_id)
        chosen = options.bridge_options(network.options, internal=network.internal)
        versions.append(version)
        routed += [version] if chosen.mode(version) == "routed" else []
        default_ip = chosen.host_ip or default_ip
    if versions:
        return Reach(tuple(versions), tuple(routed), default_ip)
    # A plugin says only later where it leads.
    by = next((e for e in endpoints if plugged(network_of(e.network_id))), None)
    if by is None:
        return Reach(())
    return Reach((4,), plugin=by.id, unheld=network_of(by.network_id).remote)
