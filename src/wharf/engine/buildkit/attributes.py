"""The options of BuildKit's Dockerfile frontend (BuildKit, frontend/dockerui) as the builder's. Pure."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from wharf.build.convert.options import Options, SecretFile
from wharf.build.graph.operations import Source
from wharf.engine.buildkit.attests import attests_of
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.images.platform import Platform, parse_platform
from wharf.spec.engine_api.container import HostConfig
from wharf.spec.frontend_options import SECRET_FILE

_NETWORKS: Final = {"": "default", "sandbox": "default", "host": "host", "none": "none"}
_RESOLVE: Final = {"": "", "default": "", "local": "", "pull": "pull"}
_LIMITS: Final[Mapping[str, str]] = {
    "memory": "Memory",
    "memswap": "MemorySwap",
    "cpushares": "CpuShares",
    "cpuperiod": "CpuPeriod",
    "cpuquota": "CpuQuota",
    "cpusetcpus": "CpusetCpus",
    "cpusetmems": "CpusetMems",
}
_KNOWN: Final = {
    "target", "cgroup-parent", "force-network-mode", "add-hosts", "hostname", "image-resolve-mode", "multi-platform",
    "no-cache", "shm-size", "platform", "ulimit", "context", "contextkey", "dockerfilekey", "filename", "source",
    "cmdline", "requestid", "frontend.caps", "cache-from", "cache-imports", *_LIMITS,
}  # fmt: skip
_PREFIXES: Final = (
    "build-arg:", "label:", "context:", "attest:", "vcs:", "local-sessionid:", "input-metadata:", SECRET_FILE,
)  # fmt: skip
_TRUE: Final = ("1", "t", "T", "true", "TRUE", "True")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks a Dockerfile's build for."""

    attributes: Mapping[str, str]
    filename: str = "Dockerfile"
    dockerfile_name: str = "dockerfile"  # the client's folders
    context_name: str = "context"
    remote: str = ""  # the address of the main context, when it is not the client's
    context_epoch_s: int | None = None  # its time, where it has one
    platforms: tuple[Platform, ...] = ()
    multi_platform: bool = False
    request: str = ""  # of something else than a build: lint, outline, targets
    limits: HostConfig = field(default_factory=HostConfig)


def asked_of(attributes: Mapping[str, str]) -> Asked:
    """Return what is asked for, as far as it decides what comes next.

    Raises:
        InvalidArgument: an option is malformed.
        NotImplementedHere: one is not supported; with its name.
    """
    for name in attributes:
        if name not in _KNOWN and not name.startswith(_PREFIXES):
            raise NotImplementedHere(f"the frontend option {name} is not supported by this build of wharf")
    attests_of(attributes)  # what is said of results is said by those who take them
    platforms = tuple(parse_platform(one) for one in attributes.get("platform", "").split(",") if one)
    wanted = attributes.get("build-arg:BUILDKIT_MULTI_PLATFORM") or attributes.get("multi-platform")
    multi = len(platforms) > 1 if not wanted else wanted in _TRUE
    if len(platforms) > 1 and not multi:
        raise InvalidArgument("conflicting config: returning multiple target platforms is not allowed")
    return Asked(
        attributes,
        filename=attributes.get("filename") or "Dockerfile",
        dockerfile_name=attributes.get("dockerfilekey") or "dockerfile",
        context_name=attributes.get("contextkey") or "context",
        remote=attributes.get("context", ""),
        platforms=platforms,
        multi_platform=multi,
        request=attributes.get("requestid", ""),
        limits=_limits(attributes),
    )


def options_of(asked: Asked, host: Platform, platform: Platform, source: Source) -> Options:
    """Return the options of one platform's build; ``source`` is its main context.

    Raises:
        InvalidArgument: one is malformed.
    """
    attributes = asked.attributes
    no_cache = attributes.get("no-cache")
    return Options(
        host=host,
        platform=platform,
        target=attributes.get("target", ""),
        build_args=_with_prefix(attributes, "build-arg:"),
        labels=_with_prefix(attributes, "label:"),
        contexts=_contexts(attributes, platform),
        no_cache=no_cache == "",
        no_cache_stages=frozenset(name.lower() for name in (no_cache or "").split(",") if name),
        network=_one_of(attributes, "force-network-mode", _NETWORKS),
        extra_hosts=tuple(_hosts(attributes.get("add-hosts", ""))),
        ulimits=tuple(_ulimits(attributes.get("ulimit", ""))),
        cgroup_parent=attributes.get("cgroup-parent", ""),
        shm_bytes=_number(attributes, "shm-size"),
        hostname=attributes.get("build-arg:BUILDKIT_SANDBOX_HOSTNAME") or attributes.get("hostname", ""),
        resolve_mode=_one_of(attributes, "image-resolve-mode", _RESOLVE),
        context=source.identifier,
        context_attributes=source.attributes,
        context_epoch_s=asked.context_epoch_s,
        secret_files={name: _secret_file(text) for name, text in _with_prefix(attributes, SECRET_FILE).items()},
    )


def _secret_file(text: str) -> SecretFile:
    try:
        uid, gid, mode = text.split(":")
        return SecretFile(int(uid) if uid else None, int(gid) if gid else None, int(mode, 8) if mode else None)
    except ValueError:
        raise InvalidArgument(f"invalid {SECRET_FILE}: {text}") from None


def _with_prefix(attributes: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name[len(prefix) :]: value for name, value in attributes.items() if name.startswith(prefix)}


def _contexts(attributes: Mapping[str, str], platform: Platform) -> dict[str, str]:
    """Return named contexts; one that is for this platform alone, ``NAME::PLATFORM``, comes first."""
    found: dict[str, str] = {}
    for name, where in _with_prefix(attributes, "context:").items():
        plain, _, only = name.partition("::")
        if not only:
            found.setdefault(plain, where)
        elif parse_platform(only) == platform:
            found[plain] = where
    return found


def _one_of(attributes: Mapping[str, str], name: str, values: Mapping[str, str]) -> str:
    value = attributes.get(name, "")
    if value not in values:
        raise InvalidArgument(f"invalid {name}: {value}")
    return values[value]


def _number(attributes: Mapping[str, str], name: str) -> int:
    value = attributes.get(name, "") or "0"
    try:
        return int(value)
    except ValueError:
        raise InvalidArgument(f"invalid {name}: {value}") from None


def _fields(text: str) -> list[str]:
    return next(csv.reader([text]), []) if text else []


def _hosts(text: str) -> list[str]:
    hosts = []
    for entry in _fields(text):
        name, equals, address = entry.partition("=")
        if not (name and equals and address):
            raise InvalidArgument(f"invalid key-value pair {entry}")
        hosts.append(f"{name}:{address}")
    return hosts


def _ulimits(text: str) -> list[tuple[str, int, int]]:
    limits = []
    for entry in _fields(text):
        name, equals, values = entry.partition("=")
        soft, _, hard = values.partition(":")
        try:
            limits.append((name, int(soft), int(hard or soft)))
        except ValueError:
            raise InvalidArgument(f"invalid ulimit type: {entry}") from None
        if not equals:
            raise InvalidArgument(f"invalid ulimit argument: {entry}")
    return limits


def _limits(attributes: Mapping[str, str]) -> HostConfig:
    """Return the limits of commands."""
    texts: dict[str, Callable[[str], object]] = {"cpusetcpus": str, "cpusetmems": str}
    limits: dict[str, object] = {}
    for name, key in _LIMITS.items():
        if value := attributes.get(name):
            limits[key] = texts[name](value) if name in texts else _number(attributes, name)
    return cast("HostConfig", limits)  # keys and kinds are the table's
