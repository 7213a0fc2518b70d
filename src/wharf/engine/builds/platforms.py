"""Which platforms' commands this machine can run: its own, those its processor has too, those with an emulator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from wharf.build.graph.operations import Exec
from wharf.build.graph.vertex import Edge, walk
from wharf.errors import NotImplementedHere
from wharf.images.platform import Platform, acceptable, parse_platform

_BINFMT: Final = Path("/proc/sys/fs/binfmt_misc")
_EMULATORS: Final = {"arm64": "aarch64", "386": "i386", "amd64": "x86_64", "loong64": "loongarch64"}


def has_emulator(architecture: str) -> bool:
    """Return whether programs of an architecture are run by an emulator here (kernel docs, binfmt_misc)."""
    return (_BINFMT / f"qemu-{_EMULATORS.get(architecture, architecture)}").exists()


def require_runnable(target: Edge, host: Platform, emulated: Callable[[str], bool] = has_emulator) -> None:
    """Refuse a graph with commands that cannot run here.

    Raises:
        NotImplementedHere: with the step and what to do.
    """
    own = {one.architecture for one in acceptable(host)}
    for vertex in walk(target):
        if not isinstance(vertex.operation, Exec) or not vertex.platform:
            continue
        architecture = parse_platform(vertex.platform).architecture
        if architecture not in own and not emulated(architecture):
            raise NotImplementedHere(
                f"{vertex.description.name}: commands for {vertex.platform} cannot be run on {host}: "
                "register an emulator (qemu-user with binfmt_misc), or use FROM --platform=$BUILDPLATFORM"
            )
