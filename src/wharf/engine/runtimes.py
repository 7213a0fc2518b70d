"""The runtimes that a container may ask for by name: ours, which answers to that of runc too, and configured ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import HostConfig
from wharf.spec.shim_messages import OtherRuntime

DEFAULT: Final = "runc"
OWN: Final = (DEFAULT, "io.containerd.runc.v2", "wharf-runtime")


@dataclass(frozen=True, slots=True)
class Runtimes:
    """What the daemon was told of runtimes; without a word there is our own."""

    others: Mapping[str, OtherRuntime]
    default: str = DEFAULT

    def require(self, name: str) -> None:
        """Raise InvalidArgument, in Docker's words, when there is no such runtime; "" is our own."""
        if name and name not in OWN and name not in self.others:
            raise InvalidArgument(f"unknown or invalid runtime name: {name}")

    def find(self, name: str) -> OtherRuntime | None:
        """Return the program that ``name``, recorded with a container, stands for; None for our own runtime.

        Raises:
            InvalidArgument: there is no such runtime (any more).
        """
        self.require(name)
        return self.others.get(name)

    def chosen(self, host: HostConfig) -> HostConfig:
        """Return ``host`` with the default runtime named, where it is not our own and none is asked for.

        Raises:
            InvalidArgument: one is asked for that there is not.
        """
        asked = host.get("Runtime") or ""
        self.require(asked)
        return host if asked or self.default in OWN else {**host, "Runtime": self.default}

    def shown(self) -> dict[str, dict[str, object]]:
        """Return them as ``docker info`` shows them."""
        found: dict[str, dict[str, object]] = {name: {"path": "wharf-runtime"} for name in OWN}
        for name, program in self.others.items():
            arguments = {"runtimeArgs": program["arguments"]} if program["arguments"] else {}
            found[name] = {"path": program["path"], **arguments}
        return found
