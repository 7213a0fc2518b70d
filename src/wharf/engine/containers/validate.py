"""What a create request may say: contradictions are refused, and by name what this build does not do. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from wharf.engine.containers import ranges
from wharf.engine.containers.health import check_of
from wharf.engine.logs import options
from wharf.engine.ocispec import cdi, security
from wharf.engine.ocispec.resources import parse_rule
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.kernel import capability
from wharf.lib.ports import from_bindings
from wharf.lib.signals import parse_signal
from wharf.lib.sizes import parse_size
from wharf.spec.engine_api.container import ContainerConfig, HealthConfig, HostConfig

_MIN_HEALTH_NS: Final = 1_000_000
MIN_MEMORY_BYTES: Final = 6 * 1024 * 1024
RESTART_POLICIES: Final = ("", "no", "always", "on-failure", "unless-stopped", "unhealthy")

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_NOT_YET: Final[dict[str, str]] = {
    "Cgroup": "the Cgroup field",
    "CpuCount": "--cpu-count",
    "CpuPercent": "--cpu-percent",
}
_OF_WINDOWS: Final = {"IOMaximumBandwidth": "bandwidth", "IOMaximumIOps": "IOPs"}


def name(text: str) -> str:
    """Return a container's name without its leading slash.

    Raises:
        InvalidArgument: it is not one.
    """
    bare = text.removeprefix("/")
    if not _NAME.fullmatch(bare):
        raise InvalidArgument(f"Invalid container name ({text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    return bare


def config(document: ContainerConfig) -> None:
    """Check a ContainerConfig."""
    directory = document.get("WorkingDir") or ""
    if directory and not directory.startswith("/"):
        raise InvalidArgument(f"the working directory '{directory}' is invalid, it needs to be an absolute path")
    _healthcheck(document.get("Healthcheck") or {})
    if signal := document.get("StopSignal"):
        parse_signal(signal)
    for variable in document.get("Env") or []:
        if not variable or variable.startswith("="):
            raise InvalidArgument(f"invalid environment variable: {variable}")


def _healthcheck(document: HealthConfig) -> None:
    for field in ("Interval", "Timeout", "StartPeriod", "StartInterval"):
        value = int(dict(document).get(field) or 0)  # type: ignore[call-overload]  # all of them are numbers
        if value and value < _MIN_HEALTH_NS:
            raise InvalidArgument(f"{field} in Healthcheck cannot be less than 1ms")
    if (document.get("Retries") or 0) < 0:
        raise InvalidArgument("Retries in Healthcheck cannot be negative")
    kind = next(iter(document.get("Test") or []), "NONE")
    if kind not in ("NONE", "CMD", "CMD-SHELL", ""):
        raise InvalidArgument(f"Unknown healthcheck type '{kind}' (expected 'CMD')")


def merged(document: ContainerConfig, host: HostConfig) -> None:
    """Check what only the image's configuration makes whole."""
    policy = (host.get("RestartPolicy") or {}).get("Name")
    if policy == "unhealthy" and check_of(document) is None:
        raise InvalidArgument("invalid restart policy: 'unhealthy' needs a health check: use --health-cmd")


def together(config: ContainerConfig, host: HostConfig) -> None:
    """Check what is asked of a container against whose names, hosts file and ports it shares.

    Raises:
        InvalidArgument: it asks for its own of what it shares, in Docker's words.
    """
    if host.get("UTSMode") == "host" and config.get("Hostname"):
        raise InvalidArgument("conflicting options: hostname and the UTS mode")
    if not (host.get("NetworkMode") or "").startswith("container:"):
        return
    for asked, what in (
        (config.get("Hostname"), "hostname and the network mode"),
        (host.get("Links"), "container type network can't be used with links"),
        (host.get("Dns"), "dns and the network mode"),
        (host.get("ExtraHosts"), "custom host-to-IP mapping and the network mode"),
        (
            host.get("PortBindings") or host.get("PublishAllPorts"),
            "port publishing and the container type network mode",
        ),
        (config.get("ExposedPorts"), "port exposing and the container type network mode"),
    ):
        if asked:
            raise InvalidArgument(f"conflicting options: {what}")


def host_config(document: HostConfig) -> None:
    """Check a HostConfig."""
    for check in _CHECKS:
        check(document)


def _supported(document: HostConfig) -> None:
    values: Mapping[str, object] = document
    for field, option in _NOT_YET.items():
        if values.get(field):
            raise NotImplementedHere(f"{option} is not supported by this build of wharf")
    if (isolation := document.get("Isolation") or "default") != "default":
        raise InvalidArgument(f"invalid isolation ({isolation}): linux only supports 'default'")
    for field, what in _OF_WINDOWS.items():
        if values.get(field):
            raise InvalidArgument(f"invalid option: QoS maximum {what} configuration is not supported on linux")


def _storage(document: HostConfig) -> None:
    for option, value in (document.get("StorageOpt") or {}).items():
        if option != "size":
            raise InvalidArgument(f"Unknown option {option}")
        if parse_size(value) <= 0:
            raise InvalidArgument(f"invalid size: '{value}'")


def _devices(document: HostConfig) -> None:
    cdi.check(document.get("DeviceRequests") or [])
    for device in document.get("BlkioWeightDevice") or []:
        if not 10 <= (device.get("Weight") or 0) <= 1000:
            raise InvalidArgument("Range of blkio weight is from 10 to 1000")
    period, runtime = document.get("CpuRealtimePeriod") or 0, document.get("CpuRealtimeRuntime") or 0
    if period and runtime > period:
        raise InvalidArgument("cpu real-time runtime cannot be higher than cpu real-time period")


def _memory(document: HostConfig) -> None:
    memory, swap = document.get("Memory") or 0, document.get("MemorySwap") or 0
    if memory < 0 or 0 < memory < MIN_MEMORY_BYTES:
        raise InvalidArgument("Minimum memory limit allowed is 6MB")
    if memory > 0 and 0 < swap < memory:
        raise InvalidArgument("Minimum memoryswap limit should be larger than memory limit, see usage")
    if memory == 0 and swap > 0:
        raise InvalidArgument("You should always set the Memory limit when using Memoryswap limit, see usage")
    swappiness = document.get("MemorySwappiness")
    if swappiness is not None and not -1 <= swappiness <= 100:
        raise InvalidArgument(f"Invalid value: {swappiness}, valid memory swappiness range is 0-100")
    reservation = document.get("MemoryReservation") or 0
    if 0 < reservation < MIN_MEMORY_BYTES:
        raise InvalidArgument("Minimum memory reservation allowed is 6MB")
    if 0 < memory < reservation:
        raise InvalidArgument("Minimum memory limit can not be less than memory reservation limit, see usage")


def _cpu(document: HostConfig) -> None:
    if (shares := document.get("CpuShares") or 0) < 0:
        raise InvalidArgument(f"invalid CPU shares ({shares}): value must be a positive integer")
    nano, quota, period = (
        document.get("NanoCpus") or 0,
        document.get("CpuQuota") or 0,
        document.get("CpuPeriod") or 0,
    )
    if nano and (quota or period):
        raise InvalidArgument("Conflicting options: Nano CPUs and CPU Period/Quota cannot both be set")
    if period and not 1000 <= period <= 1_000_000:
        raise InvalidArgument("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
    if 0 < quota < 1000:
        raise InvalidArgument("CPU cfs quota can not be less than 1ms (i.e. 1000)")
    weight = document.get("BlkioWeight") or 0
    if weight and not 10 <= weight <= 1000:
        raise InvalidArgument("Range of blkio weight is from 10 to 1000")


def _restart(document: HostConfig) -> None:
    policy = document.get("RestartPolicy") or {}
    chosen, retries = policy.get("Name") or "", policy.get("MaximumRetryCount") or 0
    if chosen not in RESTART_POLICIES:
        raise InvalidArgument(
            f"invalid restart policy: unknown policy '{chosen}'; use one of 'no', 'always', "
            "'on-failure', or 'unless-stopped'"
        )
    if retries and chosen not in ("on-failure", "unhealthy"):
        negative = " and cannot be negative" if retries < 0 else ""
        raise InvalidArgument(
            f"invalid restart policy: maximum retry count can only be used with 'on-failure'{negative}"
        )
    if retries < 0:
        raise InvalidArgument("invalid restart policy: maximum retry count cannot be negative")
    if document.get("AutoRemove") and chosen not in ("", "no"):
        raise InvalidArgument("can't create 'AutoRemove' container with restart policy")


def _log(document: HostConfig) -> None:
    config = document.get("LogConfig") or {}
    options.check(config.get("Type") or "", config.get("Config") or {})


def _modes(document: HostConfig) -> None:
    for field, called, own in (
        ("PidMode", "PID", ()),
        ("IpcMode", "IPC", ("none", "private", "shareable")),
        ("UTSMode", "UTS", ()),
        ("CgroupnsMode", "cgroup namespace", ("private",)),
        ("UsernsMode", "user namespace", ()),
    ):
        mode = str(document.get(field) or "")
        enters = mode.startswith("container:") and field in ("PidMode", "IpcMode")
        if mode not in ("", "host", *own) and not (enters and len(mode) > len("container:")):
            raise InvalidArgument(f"invalid {called} mode: {mode}")


def _annotations(document: HostConfig) -> None:
    if "" in (document.get("Annotations") or {}):
        raise InvalidArgument("invalid Annotations: the empty string is not permitted as an annotation key")


def _ports(document: HostConfig) -> None:
    try:
        from_bindings(document.get("PortBindings") or {})  # type: ignore[arg-type]  # a TypedDict of strings
    except ValueError as error:
        raise InvalidArgument(str(error)) from error


def _security(document: HostConfig) -> None:
    security.security_options(document)
    for field, asked in (("CapAdd", document.get("CapAdd")), ("CapDrop", document.get("CapDrop"))):
        for name in security.capability_names(asked):
            if name not in (*capability.NAMES, "ALL"):
                raise InvalidArgument(f'invalid {field}: unknown capability: "{name}"')
    for rule in document.get("DeviceCgroupRules") or []:
        parse_rule(rule)


_CHECKS: Final[tuple[Callable[[HostConfig], None], ...]] = (
    _supported,
    ranges.check,
    _memory,
    _cpu,
    _restart,
    _log,
    _modes,
    _ports,
    _security,
    _storage,
    _devices,
    _annotations,
)
