"""What a kind of network must be able to do, and what the rest of the package decides by: the interface for drivers.

``bridge``, ``host``, ``null``, ``macvlan``, ``ipvlan`` and CNI's plugins are drivers; an embedding program hands over
others of its own (``EngineOptions.network_drivers``), by other names; those publish no port. What every container has
by itself is not a driver's business: its sandbox, addresses and their records, default routes, names, limits of its
rate, and what is swept after a crash by the alias of its links (:func:`wharf.network.sandbox.alias_of`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from wharf.errors import InvalidArgument
from wharf.network import sandbox
from wharf.network.endpoint import Endpoint
from wharf.network.plugin import Find, find
from wharf.network.records import Network


@dataclass(frozen=True, slots=True)
class Traits:
    """What containers of a driver's networks have."""

    interface: bool = True  # an interface in their sandbox
    own_mac: bool = True  # a MAC, which may be chosen
    host_link: bool = False  # a link on the host, whose name is in ``Endpoint.host_link``
    limits: bool = True  # a rate, if they ask for one: see ``rates``


TraitsOf = Callable[[str], Traits]
"""The traits of a driver, by its name."""


class Driver(Protocol):
    """What a kind of network must be able to do.

    The methods block and are called on worker threads, those that change the host's side one at a time; but for
    ``traits``, :meth:`check`, :meth:`ready` and :meth:`notice`. A process may be killed in any of them: the next one
    calls :meth:`sweep`, then :meth:`prepare` for each network.
    """

    @property
    def traits(self) -> Traits:
        """What its containers have."""

    def check(self, network: Network) -> Network:
        """Return the record of a network that is asked for, with the driver's defaults. Pure.

        Raises:
            InvalidArgument, Forbidden: its options or pools cannot be.
        """

    def ready(self, network: Network) -> bool:
        """Return whether the host's side of ``network`` is there, as far as this process knows."""

    def notice(self, network: Network) -> str:
        """Return what the user should hear of a network that is ready; '' for nothing."""

    def plan(self, network: Network, others: Sequence[Network]) -> tuple[Network, str]:
        """Return ``network`` with whatever had to be chosen for it (pools, names), and what the user should hear.

        Raises:
            WharfError: it is not possible here.
        """

    def prepare(self, network: Network) -> None:
        """Make the host's side of a planned and recorded network; idempotent; OSError when the kernel refuses."""

    def dismantle(self, network: Network) -> None:
        """Undo :meth:`prepare`; idempotent."""

    def join(self, inside: sandbox.Inside, endpoint: Endpoint, network: Network) -> None:
        """Make the endpoint's interface in its sandbox; OSError when the kernel refuses.

        :func:`wharf.network.sandbox.configure` gives it its addresses.
        """

    def part(self, endpoint: Endpoint) -> None:
        """Undo what :meth:`join` did that goes neither with the interface nor with the sandbox; idempotent."""

    def sweep(self, live: Collection[str], networks: Sequence[Network]) -> None:
        """Remove what belongs to no container of ``live`` (ids) and to no network of ``networks``."""


Drivers = Mapping[str, Callable[[str], Driver]]
"""Makers of drivers by the driver's name; they are given the data root's key, which is in all names on the host."""


@dataclass(frozen=True, slots=True)
class Others:
    """What makes networks, and gives them addresses, beside what is here."""

    drivers: Drivers = field(default_factory=dict)  # of an embedding program
    plugins: Find = find


def extended(own: Mapping[str, Driver], others: Drivers, key: str) -> dict[str, Driver]:
    """Return the drivers by name: ``own``, and those that the makers ``others`` make of the data root's key.

    Raises:
        InvalidArgument: one of the others has a name of our own.
    """
    if taken := sorted(own.keys() & others.keys()):
        raise InvalidArgument(f"network drivers of these names are there already: {', '.join(taken)}")
    return {**own, **{name: make(key) for name, make in others.items()}}


class HostDriver:
    """The container shares the host's network: there is nothing to make."""

    traits = Traits(interface=False, own_mac=False, limits=False)

    def check(self, network: Network) -> Network:
        """Return ``network``."""
        return network

    def ready(self, network: Network) -> bool:  # noqa: ARG002  # nothing is to be made of any
        """Return True."""
        return True

    def notice(self, network: Network) -> str:  # noqa: ARG002  # as above
        """Return ''."""
        return ""

    def plan(self, network: Network, others: Sequence[Network]) -> tuple[Network, str]:  # noqa: ARG002  # as above
        """Return ``network``."""
        return network, ""

    def prepare(self, network: Network) -> None:
        """Do nothing."""

    def dismantle(self, network: Network) -> None:
        """Do nothing."""

    def join(self, inside: sandbox.Inside, endpoint: Endpoint, network: Network) -> None:
        """Do nothing."""

    def part(self, endpoint: Endpoint) -> None:
        """Do nothing."""

    def sweep(self, live: Collection[str], networks: Sequence[Network]) -> None:
        """Do nothing."""


class NullDriver(HostDriver):
    """A namespace with a loopback interface only: the sandbox itself has that."""
