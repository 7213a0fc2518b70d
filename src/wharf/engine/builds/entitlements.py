"""What a build's commands may do beyond its sandbox: only what its client grants, whatever the Dockerfile says.

Names and refusals are BuildKit's (BuildKit, util/entitlements). Unlike a BuildKit daemon the engine has no say of its
own: who may ask for builds may start privileged containers anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from wharf.build.graph.operations import Exec
from wharf.build.graph.vertex import Edge, walk
from wharf.errors import Forbidden, InvalidArgument, NotImplementedHere

NETWORK_HOST: Final = "network.host"
SECURITY_INSECURE: Final = "security.insecure"


def granted(asked: Iterable[str]) -> frozenset[str]:
    """Return what a client grants.

    Raises:
        InvalidArgument: there is no such entitlement.
        NotImplementedHere: it is about devices.
    """
    found = frozenset(asked)
    for name in sorted(found - {NETWORK_HOST, SECURITY_INSECURE}):
        if name.partition("=")[0] == "device":
            raise NotImplementedHere(f"the entitlement {name} is not supported by this build of wharf")
        raise InvalidArgument(f"unknown entitlement {name}")
    return found


def require_granted(target: Edge, grants: frozenset[str]) -> None:
    """Refuse a graph with commands that want more than was granted.

    Raises:
        Forbidden: with the step and what it wants.
    """
    for vertex in walk(target):
        if isinstance(vertex.operation, Exec):
            for name in _wanted(vertex.operation):
                if name not in grants:
                    raise Forbidden(f"{vertex.description.name}: {name} is not allowed: grant it (--allow {name})")


def _wanted(command: Exec) -> Iterator[str]:
    if command.network == "host":
        yield NETWORK_HOST
    if command.security == "insecure":
        yield SECURITY_INSECURE
