"""Who finds whom by which name. Pure but for the order of several addresses, which is drawn by lot."""

from __future__ import annotations

import random

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class View:
    """What one container sees."""

    __slots__ = ("forward", "links", "networks", "servers")

    def __init__(
        self, networks: Sequence[str], links: dict[str, str], servers: Sequence[str], *, forward: bool
    ) -> None:
        self.networks = tuple(networks)
        self.links = links
        self.servers = tuple(servers)
        self.forward = forward


class Book:
    """The names of all endpoints, by network."""

    def __init__(self) -> None:
        self._endpoints: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {}
        self._names: dict[str, dict[str, list[str]]] = {}  # network → name → endpoints
        self._addresses: dict[str, dict[str, str]] = {}  # network → address → the first of its names

    def add(
        self, endpoint: str, network: str, container: str, names: Sequence[str], addresses: Sequence[str]
    ) -> None:
        """Add an endpoint, in place of what was known of it."""
        self.remove(endpoint)
        self._endpoints[endpoint] = (network, container, tuple(names), tuple(addresses))
        for name in names:
            self._names.setdefault(network, {}).setdefault(name.lower(), []).append(endpoint)
        for address in addresses:
            self._addresses.setdefault(network, {})[address] = names[0] if names else ""

    def remove(self, endpoint: str) -> None:
        """Forget an endpoint; idempotent."""
        network, _, names, addresses = self._endpoints.pop(endpoint, ("", "", (), ()))
        known = self._names.get(network, {})
        for name in names:
            others = known.get(name.lower(), [])
            if endpoint in others:
                others.remove(endpoint)
            if not others:
                known.pop(name.lower(), None)
        for address in addresses:
            self._addresses.get(network, {}).pop(address, None)
        if network and not known:
            self._names.pop(network, None)
            self._addresses.pop(network, None)

    def find(self, view: View, name: str) -> list[str] | None:
        """Return the addresses of ``name`` in the first network that knows it; None when none does."""
        linked = view.links.get(name)
        for network in view.networks:
            endpoints = (linked and self._of(network, linked)) or self._named(network, linked or name)
            if endpoints:
                found = [address for endpoint in endpoints for address in self._endpoints[endpoint][3]]
                random.shuffle(found)
                return found
        return None

    def name_of(self, view: View, address: str) -> str:
        """Return the name of who has ``address``; '' when nobody whom ``view`` sees does."""
        found = (self._addresses.get(network, {}).get(address, "") for network in view.networks)
        return next(filter(None, found), "")

    def _named(self, network: str, name: str) -> list[str]:
        return self._names.get(network, {}).get(name.lower(), [])

    def _of(self, network: str, container: str) -> list[str]:
        return [e for e, (where, who, _, _) in self._endpoints.items() if (where, who) == (network, container)]
