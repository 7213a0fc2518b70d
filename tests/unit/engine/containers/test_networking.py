"""What a container's network comes to, as far as it can be told without one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from wharf.engine.containers import networking
from wharf.engine.containers.record import Container, Specification
from wharf.engine.containers.state import State
from wharf.engine.context import Context
from wharf.errors import NotFound
from wharf.network.records import Network


class Networks:
    """Networks that are named for their drivers."""

    def resolve(self, ref: str) -> Network:
        if ref == "gone":
            raise NotFound(f"network {ref} not found")
        return Network(ref, ref, ref, "2026-01-01T00:00:00Z")

    def publishes(self, ref: str) -> bool:
        return ref in ("bridge", "ptp")


_CONTEXT = cast("Context", SimpleNamespace(networks=Networks()))


def _container(*networks: str, publish: bool = True) -> Container:
    bindings = {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]} if publish else {}
    spec = Specification(
        {},
        {"NetworkMode": networks[0], "PortBindings": bindings},  # type: ignore[typeddict-item]
        {"EndpointsConfig": {name: {} for name in networks}},
        [],
        "true",
        [],
    )
    return Container("c" * 64, "web", "", "", "", spec, State())


@pytest.mark.parametrize(
    ("networks", "told"),
    [
        (("macvlan",), ["Published ports are discarded: macvlan networks do not publish any"]),
        (("macvlan", "ipvlan"), ["Published ports are discarded: ipvlan and macvlan networks do not publish any"]),
        (("macvlan", "bridge"), []),
        (("ptp",), []),
        (("host",), []),  # of which the daemon says so in Docker's words
        (("none",), []),
        (("gone",), []),
    ],
)
def test_ports_that_nobody_publishes_are_told_of(networks: tuple[str, ...], told: list[str]) -> None:
    assert networking.unpublished(_CONTEXT, _container(*networks)) == told


def test_nothing_is_told_where_no_port_is_asked_for() -> None:
    assert networking.unpublished(_CONTEXT, _container("macvlan", publish=False)) == []
