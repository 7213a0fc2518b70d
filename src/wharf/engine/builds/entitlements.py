"""What a build's commands may do beyond its sandbox: only what its client grants, whatever the Dockerfile says.

And a client grants only what the engine allows (``EngineOptions.entitlements``). Names and refusals are BuildKit's
(BuildKit, util/entitlements), what is allowed by itself is dockerd's.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Final

from wharf.build.graph.operations import Exec
from wharf.build.graph.vertex import Edge, walk
from wharf.errors import Forbidden, InvalidArgument, NotImplementedHere

NETWORK_HOST: Final = "network.host"
SECURITY_INSECURE: Final = "security.insecure"


def granted(asked: Iterable[str], allowed: Container[str]) -> frozenset[str]:
    """Return what a client grants, of what the engine allows.

    Raises:
        InvalidArgument: there is no such entitlement.
        Forbidden: it is not allowed.
        NotImplementedHere: it is about devices.
    """
    found = frozenset(asked)
    for name in sorted(found - {NETWORK_HOST, SECURITY_INSECURE}):
        if name.partition("=")[0] == "device":
            raise NotImplementedHere(f"the entitlement {name} is not supported by this build of wharf")
        raise InvalidArgument(f"unknown entitlement {name}")
    for name in sorted(found):
        if name not in allowed:
            raise Forbidden(
                f"granting entitlement {name} is not allowed by build daemon configuration "
                f'(daemon.json: {{"builder": {{"entitlements": {{"{name.replace(".", "-")}": true}}}}}})'
            )
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
