"""What ``wharf-runtime spec`` and ``wharf-runtime features`` print (config.md; features.md).

Pure, but for the flags of seccomp(2) that the kernel is asked for.
"""

from __future__ import annotations

from wharf.kernel.capability import NAMES
from wharf.spec.oci_runtime import OCI_VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wharf.spec.oci_runtime import Mount, Spec

_CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
_SAFE = ["nosuid", "noexec", "nodev"]


def default_spec() -> Spec:
    """Return a config.json that runs a shell on ``rootfs``."""
    return {
        "ociVersion": OCI_VERSION,
        "process": {
            "terminal": True,
            "user": {"uid": 0, "gid": 0},
            "args": ["sh"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": {
                "bounding": _CAPABILITIES,
                "effective": _CAPABILITIES,
                "permitted": _CAPABILITIES,
            },
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": True},
        "hostname": "wharf",
        "mounts": _mounts(),
        "linux": {
            "resources": {"devices": [{"allow": False, "access": "rwm"}]},
            "namespaces": [{"type": t} for t in ("pid", "network", "ipc", "uts", "mount", "cgroup")],
            "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    }


def _mounts() -> list[Mount]:
    tmpfs, shm = ["nosuid", "strictatime", "mode=755", "size=65536k"], [*_SAFE, "mode=1777", "size=65536k"]
    pts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]
    rows = (
        ("/proc", "proc", "proc", list[str]()),
        ("/dev", "tmpfs", "tmpfs", tmpfs),
        ("/dev/pts", "devpts", "devpts", pts),
        ("/dev/shm", "tmpfs", "shm", shm),  # noqa: S108 - a mount point, not a temporary file
        ("/dev/mqueue", "mqueue", "mqueue", _SAFE),
        ("/sys", "sysfs", "sysfs", [*_SAFE, "ro"]),
        ("/sys/fs/cgroup", "cgroup", "cgroup", [*_SAFE, "relatime", "ro"]),
    )
    return [{"destination": d, "type": t, "source": s, "options": list(o)} for d, t, s, o in rows]


def rootless(spec: Spec, uid: int, gid: int) -> Spec:
    """Return ``spec`` for a caller that is nobody but ``uid`` and ``gid``: root in a user namespace of its own."""
    linux: dict[str, Any] = {**spec["linux"]}
    linux["namespaces"] = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "cgroup", "user")]
    linux["uidMappings"] = [{"containerID": 0, "hostID": uid, "size": 1}]
    linux["gidMappings"] = [{"containerID": 0, "hostID": gid, "size": 1}]
    linux.pop("resources", None)
    mounts = [_rootless_mount(mount) for mount in spec["mounts"]]
    return {**spec, "mounts": mounts, "linux": linux}  # type: ignore[typeddict-item]  # the same fields


def _rootless_mount(mount: Mount) -> Mount:
    """Only what belongs to the user namespace can be mounted anew; sysfs belongs to the host's network namespace."""
    if mount["type"] == "sysfs":
        return {"destination": "/sys", "type": "none", "source": "/sys", "options": ["rbind", *_SAFE, "ro"]}
    return {**mount, "options": [option for option in mount["options"] if option != "gid=5"]}


def features() -> dict[str, Any]:
    """Return what this runtime can do."""
    from wharf.kernel import seccomp, tuning  # noqa: PLC0415 - only this command needs them
    from wharf.lib.version import __version__  # noqa: PLC0415 - the same
    from wharf.runtime import hooks, mount_options  # noqa: PLC0415 - the same

    return {
        "ociVersionMin": "1.0.0",
        "ociVersionMax": OCI_VERSION,
        "hooks": list(hooks.POINTS),
        "mountOptions": sorted(mount_options.known()),
        "annotations": {
            "org.opencontainers.runc.checkpoint.enabled": "true",
            "wharf.runtime.version": __version__,
        },
        "potentiallyUnsafeConfigAnnotations": ["org.criu.config"],
        "linux": {
            "namespaces": ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"],
            "capabilities": list(NAMES),
            "cgroup": {"v1": True, "v2": True, "systemd": True, "systemdUser": True, "rdma": True},
            "seccomp": {
                "enabled": True,
                "actions": sorted(seccomp.ACTIONS),
                "operators": sorted(seccomp.COMPARISONS),
                "archs": list(seccomp.ARCHITECTURES),
                "knownFlags": sorted(seccomp.FLAGS),
                "supportedFlags": sorted(name for name, flag in seccomp.FLAGS.items() if seccomp.supports(flag)),
            },
            "apparmor": {"enabled": True},
            "selinux": {"enabled": True},
            "memoryPolicy": {"modes": sorted(tuning.MEMORY_MODES), "flags": sorted(tuning.MEMORY_FLAGS)},
            "intelRdt": {"enabled": True, "schemata": True, "monitoring": True},
            "mountExtensions": {"idmap": {"enabled": True}},
            "netDevices": {"enabled": True},
        },
    }
