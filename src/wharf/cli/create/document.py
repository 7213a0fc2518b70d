"""The document of ``POST /containers/create`` from a command line; pure but for the files that flags name."""

from __future__ import annotations

import os

from wharf.cli.create import devices, limits, mounts, networks, ports, security
from wharf.cli.create.files import key_values, read_text
from wharf.cli.create.pairs import storage_options, to_map
from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wharf.cli.flags import Values
    from wharf.client.documents import Document


def create_document(
    values: Values, arguments: list[str], environment: Mapping[str, str], *, console: tuple[int, int] = (0, 0)
) -> Document:
    """Return the request that docker's client sends for the same line.

    Args:
        values: The flags.
        arguments: The image and the command.
        environment: The caller's own, for ``-e NAME``.
        console: Rows and columns of the terminal, zeros without one.

    Raises:
        InvalidArgument: a value is wrong, or two contradict each other.
    """
    image, *command = arguments
    mode, endpoints = networks.endpoints(values)
    binds, volumes = mounts.split_volumes(values.items("volume"))
    bindings = ports.publish(values.items("publish"))
    document = _config(values, image, command, environment)
    document["Volumes"] = volumes
    exposed = [*bindings, *ports.exposed(values.items("expose"))]
    if exposed:
        document["ExposedPorts"] = {port: {} for port in exposed}
    host = _host_config(values, console)
    host.update({"NetworkMode": mode, "Binds": binds, "PortBindings": bindings})
    document["HostConfig"] = host
    document["NetworkingConfig"] = {"EndpointsConfig": endpoints}
    return document


def attached(values: Values) -> set[str]:
    """Return the streams that the command line attaches to."""
    streams = {stream.lower() for stream in values.items("attach")}
    if not streams:
        streams = {"stdout", "stderr"}
    if values.on("interactive"):
        streams.add("stdin")
    return streams


def _config(values: Values, image: str, command: list[str], environment: Mapping[str, str]) -> Document:
    streams = attached(values)
    stdin = values.on("interactive")
    document: Document = {
        "Hostname": values.text("hostname"),
        "Domainname": values.text("domainname"),
        "User": values.text("user"),
        "AttachStdin": "stdin" in streams,
        "AttachStdout": "stdout" in streams,
        "AttachStderr": "stderr" in streams,
        "Tty": values.on("tty"),
        "OpenStdin": stdin,
        "StdinOnce": stdin and "stdin" in streams,
        "Env": _environment(values, environment) or None,
        "Cmd": command or None,
        "Image": image,
        "WorkingDir": values.text("workdir"),
        "Entrypoint": [values.text("entrypoint")] if values.given("entrypoint") else None,
        "OnBuild": None,
        "Labels": _labels(values),
    }
    if values.text("stop-signal"):
        document["StopSignal"] = values.text("stop-signal")
    if values.given("stop-timeout"):
        document["StopTimeout"] = values.number("stop-timeout")
    health = _healthcheck(values)
    if health:
        document["Healthcheck"] = health
    return document


def _environment(values: Values, environment: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    for path in values.items("env-file"):
        found += key_values(read_text(path), path, environment)
    for text in values.items("env"):
        known = "=" not in text and text in environment
        found.append(f"{text}={environment[text]}" if known else text)
    return found


def _labels(values: Values) -> dict[str, str]:
    lines = [line for path in values.items("label-file") for line in key_values(read_text(path), path, {})]
    return to_map([*lines, *values.items("label")])


_HEALTH_DURATIONS = {
    "health-interval": "Interval",
    "health-timeout": "Timeout",
    "health-start-period": "StartPeriod",
    "health-start-interval": "StartInterval",
}


def _healthcheck(values: Values) -> Document | None:
    flags = ("health-cmd", "health-retries", *_HEALTH_DURATIONS)
    given = any(values.text(flag) or values.number(flag) for flag in flags)
    if values.on("no-healthcheck"):
        if given:
            raise InvalidArgument("--no-healthcheck conflicts with --health-* options")
        return {"Test": ["NONE"]}
    if not given:
        return None
    for flag in (*_HEALTH_DURATIONS, "health-retries"):
        if values.number(flag) < 0:
            raise InvalidArgument(f"--{flag} cannot be negative")
    command = values.text("health-cmd")
    document: Document = {"Test": ["CMD-SHELL", command]} if command else {}
    document.update({field: values.number(flag) for flag, field in _HEALTH_DURATIONS.items() if values.number(flag)})
    if values.number("health-retries"):
        document["Retries"] = values.number("health-retries")
    return document


def restart_policy(values: Values) -> Document:
    """Return the RestartPolicy of --restart.

    Raises:
        InvalidArgument: it is malformed, or contradicts --rm.
    """
    name, separator, count = values.text("restart").partition(":")
    if separator and not name:
        raise InvalidArgument("invalid restart policy format: no policy provided before colon")
    if count and not (count.isascii() and count.removeprefix("-").isdigit()):
        raise InvalidArgument("invalid restart policy format: maximum retry count must be an integer")
    if values.on("rm") and name not in {"", "no"}:
        raise InvalidArgument("conflicting options: cannot specify both --restart and --rm")
    return {"Name": name, "MaximumRetryCount": int(count) if count else 0}


def _log_config(values: Values) -> Document:
    driver, options = values.text("log-driver"), values.items("log-opt")
    if driver == "none" and options:
        raise InvalidArgument(f"invalid logging opts for driver {driver}")
    return {"Type": driver, "Config": to_map(options)}


def _host_config(values: Values, console: tuple[int, int]) -> Document:
    security.check_modes(values)
    added, dropped = security.capabilities(values.items("cap-add"), values.items("cap-drop"))
    options, unmasked = security.security_options(values.items("security-opt"))
    document: Document = {
        "ContainerIDFile": values.text("cidfile"),
        "LogConfig": _log_config(values),
        "RestartPolicy": restart_policy(values),
        "AutoRemove": values.on("rm"),
        "VolumeDriver": values.text("volume-driver"),
        "VolumesFrom": values.items("volumes-from") or None,
        "ConsoleSize": list(console),
        "CapAdd": added,
        "CapDrop": dropped,
        "CgroupnsMode": values.text("cgroupns"),
        "Dns": values.items("dns"),
        "DnsOptions": values.items("dns-option"),
        "DnsSearch": values.items("dns-search"),
        "ExtraHosts": [networks.parse_add_host(text) for text in values.items("add-host")] or None,
        "GroupAdd": values.items("group-add") or None,
        "IpcMode": values.text("ipc"),
        "Cgroup": "",
        "Links": values.items("link") or None,
        "OomScoreAdj": values.number("oom-score-adj"),
        "PidMode": values.text("pid"),
        "Privileged": values.on("privileged"),
        "PublishAllPorts": values.on("publish-all"),
        "ReadonlyRootfs": values.on("read-only"),
        "SecurityOpt": options,
        "UTSMode": values.text("uts"),
        "UsernsMode": values.text("userns"),
        "ShmSize": values.number("shm-size"),
        "Isolation": values.text("isolation"),
        "CgroupParent": values.text("cgroup-parent"),
        "MaskedPaths": [] if unmasked else None,
        "ReadonlyPaths": [] if unmasked else None,
        **limits.resources(values),
        **_devices(values),
        "MemorySwappiness": limits.swappiness(values),
        "OomKillDisable": values.on("oom-kill-disable"),
        "Ulimits": sorted(map(limits.parse_ulimit, values.items("ulimit")), key=lambda limit: str(limit["Name"])),
        "CpuCount": 0,
        "CpuPercent": 0,
        "IOMaximumIOps": 0,
        "IOMaximumBandwidth": 0,
    }
    document.update(_when_given(values))
    return document


def _devices(values: Values) -> Document:
    asked = values.items("device")
    return {
        "Devices": [devices.parse_device(text) for text in asked if not devices.is_vendors(text)],
        "DeviceCgroupRules": values.items("device-cgroup-rule") or None,
        "DeviceRequests": devices.requests(asked, values.items("gpus")) or None,
        "BlkioWeightDevice": [devices.parse_weight_device(text) for text in values.items("blkio-weight-device")],
        "BlkioDeviceReadBps": [devices.parse_throttle_bytes(text) for text in values.items("device-read-bps")],
        "BlkioDeviceWriteBps": [devices.parse_throttle_bytes(text) for text in values.items("device-write-bps")],
        "BlkioDeviceReadIOps": [devices.parse_throttle_count(text) for text in values.items("device-read-iops")],
        "BlkioDeviceWriteIOps": [devices.parse_throttle_count(text) for text in values.items("device-write-iops")],
    }


def _when_given(values: Values) -> Document:
    """Return the fields that docker's client leaves out when they are empty."""
    fields: Document = {
        "Mounts": [mounts.parse_mount(text) for text in values.items("mount")],
        "Tmpfs": mounts.tmpfs_map(values.items("tmpfs")),
        "Sysctls": to_map(values.items("sysctl")),
        "StorageOpt": storage_options(values.items("storage-opt")),
        "Annotations": to_map(values.items("annotation")),
        "Runtime": values.text("runtime"),
    }
    found = {name: value for name, value in fields.items() if value}
    if values.given("init"):
        found["Init"] = values.on("init")
    return found


def caller_environment() -> Mapping[str, str]:
    """Return this process's environment."""
    return os.environ
