"""Which namespaces a container has of its own, shares with the host, or enters."""

from __future__ import annotations

from typing import Final, Literal

from wharf.engine.ocispec.inputs import Inputs
from wharf.lib.remap import Remap, rows
from wharf.spec.engine_api.container import HostConfig
from wharf.spec.oci_runtime import IDMapping, Namespace, NamespaceType

Mode = Literal["PidMode", "IpcMode", "UTSMode", "UsernsMode", "CgroupnsMode", "NetworkMode"]

_MODES: Final[tuple[tuple[NamespaceType, Mode], ...]] = (("pid", "PidMode"), ("ipc", "IpcMode"), ("uts", "UTSMode"))


def shares_host(host: HostConfig, mode: Mode) -> bool:
    """Return whether ``mode`` says "host"."""
    return host.get(mode) == "host"


def of_container(inputs: Inputs) -> list[Namespace]:
    """Return linux.namespaces (config-linux.md "Namespaces")."""
    host = inputs.host_config
    namespaces: list[Namespace] = [{"type": "mount"}]
    for kind, mode in _MODES:
        if path := inputs.joined.paths.get(kind):
            namespaces.append({"type": kind, "path": path})
        elif not shares_host(host, mode):
            namespaces.append({"type": kind})
    if inputs.sandbox is None:
        namespaces.append({"type": "network"})
    elif inputs.sandbox:
        namespaces.append({"type": "network", "path": inputs.sandbox})
    if inputs.user is not None:
        namespaces.append({"type": "user", "path": inputs.user.path})
    if private_cgroupns(host, cgroup2=inputs.facts.cgroup2):
        namespaces.append({"type": "cgroup"})
    return namespaces


def id_mappings(ids: Remap) -> tuple[list[IDMapping], list[IDMapping]]:
    """Return linux.uidMappings and linux.gidMappings (config-linux.md "User namespace mappings")."""
    return _mappings(ids.uids), _mappings(ids.gids)


def _mappings(ranges: tuple[tuple[int, int], ...]) -> list[IDMapping]:
    return [{"containerID": inside, "hostID": outside, "size": count} for inside, outside, count in rows(ranges)]


def private_cgroupns(host: HostConfig, *, cgroup2: bool) -> bool:
    """Return whether the container sees only its own cgroups: asked for, or Docker's default on v2."""
    mode = host.get("CgroupnsMode") or ""
    return mode == "private" or (mode == "" and cgroup2)
