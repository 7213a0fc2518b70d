"""The mounts: kernel file systems, the three files of the network, then what was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from wharf.engine.ocispec.inputs import Inputs, ResolvedMount
from wharf.engine.ocispec.security import writable_cgroups
from wharf.spec.oci_runtime import Mount

SHM = "/dev/shm"  # noqa: S108  # a mount point, not a temporary file
DEFAULT_SHM_BYTES = 64 * 1024 * 1024
_NETWORK_FILES = (("/etc/resolv.conf", "resolv.conf"), ("/etc/hostname", "hostname"), ("/etc/hosts", "hosts"))


def of_container(inputs: Inputs) -> list[Mount]:
    """Return the mounts in the order they are made; a later one may lie on an earlier one."""
    rootless = inputs.facts.rootless
    asked = [_asked(m, rootless=rootless, mapped=_mapped(inputs, our_own=m.our_own)) for m in inputs.mounts]
    taken = {m["destination"] for m in asked}
    kernel, files = (
        [m for m in standard if m["destination"] not in taken]
        for standard in (_kernel(inputs), _network_files(inputs))
    )
    return [*kernel, *_outer_first([*files, *asked])]


def _outer_first(mounts: Sequence[Mount]) -> list[Mount]:
    return sorted(mounts, key=lambda m: m["destination"].count("/"))


def root_propagation(inputs: Inputs) -> str:
    """Return how the root takes part in propagation: as private as the mounts allow."""
    modes = {m.propagation.removeprefix("r") for m in inputs.mounts}
    for mode in ("shared", "slave"):
        if mode in modes:
            return f"r{mode}"
    return "rprivate"


def _kernel(inputs: Inputs) -> list[Mount]:
    host = inputs.host_config
    privileged = bool(host.get("Privileged"))
    access = "rw" if privileged else "ro"
    safe = ["nosuid", "noexec", "nodev"]
    mounts: list[Mount] = [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": safe},
        {
            "destination": "/dev",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
        },
        {
            "destination": "/dev/pts",
            "type": "devpts",
            "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", *_terminals(inputs)],
        },
        _sysfs(inputs, [*safe, access]),
        _cgroups(inputs, ["rw" if writable_cgroups(host) else "ro", *safe]),
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": safe},
    ]
    if host.get("IpcMode") == "host":
        mounts.append({"destination": SHM, "type": "bind", "source": SHM, "options": ["rbind", *safe]})
    elif (pid := inputs.joined.shm_of) is not None:
        options = [*safe, f"wharf.mounts_of={pid}"]
        mounts.append({"destination": SHM, "type": "bind", "source": SHM, "options": options})
    elif host.get("IpcMode") != "none":
        size = host.get("ShmSize") or DEFAULT_SHM_BYTES
        mounts.append(
            {
                "destination": SHM,
                "type": "tmpfs",
                "source": "shm",
                "options": [*safe, "mode=1777", f"size={size}"],
            }
        )
    return mounts


def _terminals(inputs: Inputs) -> list[str]:
    """Return who terminals belong to: the group tty, where it exists."""
    return [] if inputs.facts.one_id else ["gid=5"]


def _cgroups(inputs: Inputs, options: list[str]) -> Mount:
    """Return the control groups; an empty folder where the engine has none, for those that are there are others'."""
    if inputs.facts.rootless and not inputs.facts.controllers:
        return {
            "destination": "/sys/fs/cgroup",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": [*options, "mode=755"],
        }
    return {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": options}


def _sysfs(inputs: Inputs, options: list[str]) -> Mount:
    """Return /sys: a new one shows the network namespace, so whoever makes it must own that (mount_namespaces(7))."""
    facts = inputs.facts
    if facts.rootless and inputs.sandbox == "" and (facts.world is None or facts.world["network"] == "none"):
        return {"destination": "/sys", "type": "bind", "source": "/sys", "options": ["rbind", "rslave", *options]}
    return {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": options}


def _network_files(inputs: Inputs) -> list[Mount]:
    access = "ro" if inputs.host_config.get("ReadonlyRootfs") else "rw"
    return [
        {
            "destination": target,
            "type": "bind",
            "source": str(inputs.folder / name),
            "options": ["rbind", "rprivate", access, *_mapped(inputs, our_own=True)],
        }
        for target, name in _NETWORK_FILES
    ]


def _mapped(inputs: Inputs, *, our_own: bool) -> list[str]:
    """Return what lets files on the engine's own disk have the container's ids; the user's show the machine's."""
    return ["idmap"] if inputs.user is not None and our_own else []


def _asked(mount: ResolvedMount, *, rootless: bool, mapped: Sequence[str]) -> Mount:
    if mount.type == "tmpfs":
        defaults = ["nosuid", "nodev", "noexec"]
        return {
            "destination": mount.target,
            "type": "tmpfs",
            "source": "tmpfs",
            "options": [*_without_opposites(defaults, mount.options), *mount.options],
        }
    if len(mount.lower) > 1:
        return {
            "destination": mount.target,
            "type": "overlay",
            "source": "overlay",
            "options": [
                "ro",
                *(["userxattr"] if rootless else []),
                *(f"lowerdir+={folder}" for folder in mount.lower),
                *mount.options,
                *mapped,
            ],
        }
    bind = "rbind" if mount.recursive else "bind"
    access = ["ro"] if mount.read_only else ["rw"]
    if mount.read_only and mount.read_only_below and mount.recursive:
        access.append("rro")
    return {
        "destination": mount.target,
        "type": "bind",
        "source": mount.source,
        "options": [bind, *access, mount.propagation or "rprivate", *mount.options, *mapped],
    }


def _without_opposites(defaults: Sequence[str], chosen: Sequence[str]) -> list[str]:
    return [d for d in defaults if d.removeprefix("no") not in chosen and d not in chosen]
