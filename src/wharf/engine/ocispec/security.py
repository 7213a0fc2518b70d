"""What confines a container besides namespaces: capabilities, seccomp, masked paths, sysctls."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from wharf.engine.ocispec import moby_seccomp
from wharf.engine.ocispec.inputs import HostFacts, Inputs
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.spec.engine_api.container import HostConfig
from wharf.spec.oci_runtime import Capabilities, Seccomp

DEFAULT_CAPABILITIES: Final = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
)
MASKED_PATHS: Final = (  # in Docker's order: inspect shows them
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
)
READONLY_PATHS: Final = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
_LABEL_PARTS: Final = ("disable", "user", "role", "type", "level", "filetype")
_LABEL_SHOWN: Final = "user, role, type, level and filetype with a value"
_TRUE: Final = ("1", "t", "true")
_FALSE: Final = ("0", "f", "false")
_SUPPORTED_OPTIONS: Final = ("seccomp", "no-new-privileges", "systempaths", "apparmor", "label", "writable-cgroups")
_SWITCHES: Final = ("no-new-privileges", "writable-cgroups")  # they may stand without a value


def security_options(host: HostConfig) -> dict[str, str]:
    """Return --security-opt as a table; ``no-new-privileges`` or ``writable-cgroups`` alone means true.

    Raises:
        InvalidArgument: an option is unknown.
    """
    options: dict[str, str] = {}
    for text in host.get("SecurityOpt") or []:
        name, separator, value = text.partition("=") if "=" in text else text.partition(":")
        if not separator and name not in _SWITCHES:
            raise InvalidArgument(f'invalid --security-opt 1: "{text}"')
        if name not in _SUPPORTED_OPTIONS:
            raise InvalidArgument(f'invalid --security-opt 2: "{text}"')
        options[name] = value if separator else "true"
        if name in _SWITCHES:
            if options[name].lower() not in _TRUE + _FALSE:
                raise InvalidArgument(f'invalid --security-opt 2: "{text}"')
            options[name] = str(options[name].lower() in _TRUE).lower()
    _label_parts(host)
    return options


def apparmor_profile(host: HostConfig, facts: HostFacts) -> str:
    """Return the profile of --security-opt apparmor=; "" for none and, as Docker, without AppArmor in the kernel."""
    if not facts.apparmor:
        return ""
    return security_options(host).get("apparmor", "unconfined" if host.get("Privileged") else "")


def selinux_labels(host: HostConfig, facts: HostFacts) -> tuple[str, str]:
    """Return the labels of processes and of mounts that --security-opt label= asks for.

    Empty for none, for ``disable``, and where the kernel has no SELinux, as Docker.
    """
    parts = _label_parts(host)
    if not facts.selinux or not parts or "disable" in parts:
        return "", ""
    user, role, level = parts.get("user", "system_u"), parts.get("role", "system_r"), parts.get("level", "s0")
    kind, file_kind = parts.get("type", "container_t"), parts.get("filetype", "container_file_t")
    return f"{user}:{role}:{kind}:{level}", f"{user}:object_r:{file_kind}:{level}"


def _label_parts(host: HostConfig) -> dict[str, str]:
    parts: dict[str, str] = {}
    for text in host.get("SecurityOpt") or []:
        name, _, value = text.partition("=") if "=" in text else text.partition(":")
        if name != "label":
            continue
        part, _, given = value.partition(":")
        if part not in _LABEL_PARTS or (part != "disable" and not given):
            raise InvalidArgument(f'invalid --security-opt 2: "{text}": a label is disable, or one of {_LABEL_SHOWN}')
        parts[part] = given
    return parts


def capabilities(host: HostConfig, facts: HostFacts) -> Capabilities:
    """Return the sets: Docker's default changed by --cap-add and --cap-drop, or all with --privileged."""
    add, drop = capability_names(host.get("CapAdd")), capability_names(host.get("CapDrop"))
    if host.get("Privileged"):
        chosen = sorted(facts.capabilities)
    else:
        chosen = [] if "ALL" in drop else sorted(facts.capabilities) if "ALL" in add else list(DEFAULT_CAPABILITIES)
        chosen += [c for c in add if c not in chosen and c != "ALL"]
        chosen = [c for c in chosen if c not in drop]
    return {"bounding": chosen, "effective": chosen, "permitted": chosen}


def capability_names(given: list[str] | None) -> list[str]:
    """Return names as the kernel spells them, with their prefix; ALL stays. Pure."""
    upper = [c.upper() for c in given or []]
    return [c if c == "ALL" or c.startswith("CAP_") else f"CAP_{c}" for c in upper]


def no_new_privileges(host: HostConfig) -> bool:
    """Return whether --security-opt no-new-privileges is on."""
    return security_options(host).get("no-new-privileges") == "true"


def writable_cgroups(host: HostConfig) -> bool:
    """Return whether --security-opt writable-cgroups is on, as it is for a privileged container by default."""
    return security_options(host).get("writable-cgroups", str(bool(host.get("Privileged"))).lower()) == "true"


def masked_paths(host: HostConfig) -> list[str]:
    """Return the paths that are hidden."""
    return _paths(host, host.get("MaskedPaths"), MASKED_PATHS)


def readonly_paths(host: HostConfig) -> list[str]:
    """Return the paths that are read-only."""
    return _paths(host, host.get("ReadonlyPaths"), READONLY_PATHS)


def _paths(host: HostConfig, asked: list[str] | None, default: tuple[str, ...]) -> list[str]:
    if host.get("Privileged") or security_options(host).get("systempaths") == "unconfined":
        return []
    return list(default) if asked is None else asked


def sysctls(inputs: Inputs) -> dict[str, str]:
    """Return the sysctls: those asked for, and with an own network namespace Docker's two defaults."""
    asked = dict(inputs.host_config.get("Sysctls") or {})
    if inputs.sandbox == "":
        return asked
    # A user namespace has not all those groups; there root alone may ping, as with Docker.
    ping = {} if inputs.facts.rootless or inputs.user else {"net.ipv4.ping_group_range": "0 2147483647"}
    return {"net.ipv4.ip_unprivileged_port_start": "0", **ping, **asked}


def seccomp(inputs: Inputs) -> Seccomp | None:
    """Return the filter: Docker's default resolved for this container, the one given, or none.

    Raises:
        InvalidArgument: the profile given is not a seccomp document.
        NotImplementedHere: a profile was asked for and the kernel has no seccomp.
    """
    profile = security_options(inputs.host_config).get("seccomp", "")
    privileged = bool(inputs.host_config.get("Privileged"))
    if profile == "unconfined" or (privileged and profile in ("", "builtin")):
        return None
    if not inputs.facts.seccomp:
        if profile in ("", "builtin"):
            return None
        raise NotImplementedHere("seccomp is not enabled in your kernel, cannot run a custom seccomp profile")
    granted = frozenset(capabilities(inputs.host_config, inputs.facts).get("bounding", []))
    if profile in ("", "builtin"):
        return _default_filter(granted, inputs.facts.arch, inputs.facts.kernel)
    return moby_seccomp.resolve(
        _parse(profile), capabilities=granted, arch=inputs.facts.arch, kernel=inputs.facts.kernel
    )


def _parse(profile: str) -> moby_seccomp.Profile:
    try:
        return moby_seccomp.parse(json.loads(profile))
    except ValueError as error:
        raise InvalidArgument(f"Decoding seccomp profile failed: {error}") from error


@lru_cache(maxsize=64)
def _default_filter(granted: frozenset[str], arch: str, kernel: tuple[int, int]) -> Seccomp:
    """Return the same object for the same question: nobody changes it."""
    return moby_seccomp.resolve(_default_profile(), capabilities=granted, arch=arch, kernel=kernel)


@cache
def _default_profile() -> moby_seccomp.Profile:
    return moby_seccomp.parse(json.loads(files("wharf.spec").joinpath("seccomp-default.json").read_bytes()))
