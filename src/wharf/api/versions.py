"""What an API version changes: which are served, and how answers and requests of older ones differ.

Pure. Handlers and the engine speak the newest version; these functions make the difference for clients that ask
for an older one (Engine API, version history).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NewType, cast

from wharf.errors import InvalidArgument
from wharf.lib.timestamps import ZERO
from wharf.lib.version import API_VERSION, MIN_API_VERSION
from wharf.spec.engine_api.container import (
    ContainerInspectResponse,
    ContainerSummary,
    ContainerUpdateRequest,
    CreateContainer,
    EndpointSettings,
    HostConfig,
)
from wharf.spec.engine_api.image import ImageInspect, ImageSummary
from wharf.spec.engine_api.network import NetworkCreateRequest, NetworkInspect
from wharf.spec.engine_api.system import DiskUsage, EventMessage

Document = dict[str, object]
Version = NewType("Version", tuple[int, int])

_PATH = re.compile(r"/v([0-9]+(?:\.[0-9]+)*)(/.*)")


def parse_version(text: str) -> Version:
    """Read ``1.51``; a missing minor number is 0, further numbers do not count."""
    major, _, rest = text.partition(".")
    return Version((int(major), int(rest.partition(".")[0] or 0)))


NEWEST: Final = parse_version(API_VERSION)
OLDEST: Final = parse_version(MIN_API_VERSION)


def split_version(path: str) -> tuple[Version, str]:
    """Take the version off a path: ``/v1.41/info`` is version 1.41 of ``/info``, ``/info`` the newest.

    Raises:
        InvalidArgument: the version is not served.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        return NEWEST, path
    text = match.group(1)
    version = parse_version(text)
    if version > NEWEST:
        raise InvalidArgument(
            f"client version {text} is too new. Maximum supported API version is {API_VERSION}",
        )
    if version < OLDEST:
        raise InvalidArgument(
            f"client version {text} is too old. Minimum supported API version is {MIN_API_VERSION}, "
            "please upgrade your client to a newer version",
        )
    return version, match.group(2)


def stream_type(version: Version, *, tty: bool) -> str:
    """Return the content type of attached output and logs: since 1.42 it tells frames from a terminal's bytes."""
    if tty or version < (1, 42):
        return "application/vnd.docker.raw-stream"
    return "application/vnd.docker.multiplexed-stream"


def create_request(request: CreateContainer, version: Version) -> CreateContainer:
    """Return a request to create a container as a client of the newest version would have sent it.

    Raises:
        InvalidArgument: it asks for several networks, which came with 1.44.
    """
    host: HostConfig = {**(request.get("HostConfig") or {})}
    if version < (1, 41) and not host.get("CgroupnsMode"):
        host["CgroupnsMode"] = "host"  # older clients do not know of cgroup namespaces
    if version < (1, 42):
        host.pop("ConsoleSize", None)
    if version < (1, 43):
        host.pop("Annotations", None)
    given = (request.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
    if version < (1, 44) and len(given) > 1:
        raise InvalidArgument(f"Container cannot be created with multiple network endpoints: {', '.join(given)}")
    return {**request, "HostConfig": host}


def create_warnings(request: CreateContainer, version: Version) -> list[str]:
    """Return what a client of ``version`` is told of its request alone."""
    if version >= (1, 44) and request.get("MacAddress"):
        instead = "It should be specified in EndpointsConfig instead."
        return [f"The container-wide MacAddress field is now deprecated. {instead}"]
    return []


_LISTS: Final = ("BlkioDeviceReadBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteBps", "BlkioDeviceWriteIOps")


def update_request(request: ContainerUpdateRequest, version: Version) -> ContainerUpdateRequest:
    """Return a request to update a container as a client of the newest version would have sent it.

    Since 1.55 an empty list of devices lifts their limits; until then it says nothing.
    """
    if version >= (1, 55):
        return request
    return cast("ContainerUpdateRequest", {k: v for k, v in request.items() if v or k not in _LISTS})


_NO_BRIDGE: Final = {
    "EndpointID": "",
    "Gateway": "",
    "GlobalIPv6Address": "",
    "GlobalIPv6PrefixLen": 0,
    "IPAddress": "",
    "IPPrefixLen": 0,
    "IPv6Gateway": "",
    "MacAddress": "",
}
_OF_THE_BRIDGE: Final = frozenset(
    {
        *_NO_BRIDGE, "Bridge", "HairpinMode", "LinkLocalIPv6Address", "LinkLocalIPv6PrefixLen",
        "SecondaryIPAddresses", "SecondaryIPv6Addresses",
    }
)  # fmt: skip


def container_inspect(found: ContainerInspectResponse, version: Version) -> Document:
    """Return a container as ``version`` shows it.

    Until 1.51 the default bridge's address stands once more in NetworkSettings itself; until 1.44 a container's
    aliases include its short id, from its first start on.
    """
    answer = _manifest_shown(found, version)
    if version >= (1, 52):
        answer["Config"] = {
            name: value for name, value in (found.get("Config") or {}).items() if name != "OnBuild" or value
        }
    settings = found.get("NetworkSettings") or {}
    begun = ((found.get("State") or {}).get("StartedAt") or ZERO) != ZERO
    networks = _networks(settings.get("Networks"), (found.get("Id") or "") if begun else "", version)
    if version >= (1, 52):
        kept = {name: value for name, value in settings.items() if name not in _OF_THE_BRIDGE}
        answer["NetworkSettings"] = {**kept, "Networks": networks}
        return answer
    bridge: Mapping[str, object] = networks.get("bridge") or {}
    answer["NetworkSettings"] = {
        "Bridge": "",
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        **{name: bridge.get(name) or nothing for name, nothing in _NO_BRIDGE.items()},
        **settings,
        "Networks": networks,
    }
    return answer


def _networks(
    networks: Mapping[str, EndpointSettings] | None, container_id: str, version: Version
) -> dict[str, EndpointSettings]:
    found = dict(networks or {})
    if version >= (1, 45) or not container_id:
        return found
    for name, endpoint in found.items():
        if aliases := endpoint.get("Aliases"):
            found[name] = {**endpoint, "Aliases": [*dict.fromkeys([*aliases, container_id[:12]])]}
    return found


def _manifest_shown(found: Mapping[str, object], version: Version) -> Document:
    """Return a container with its image's manifest, which came with 1.48."""
    return {name: value for name, value in found.items() if name != "ImageManifestDescriptor" or version >= (1, 48)}


def container_summary(found: ContainerSummary, version: Version) -> Document:
    """Return a container of a list as ``version`` shows it."""
    answer = _manifest_shown(found, version)
    if version < (1, 46) and (host := found.get("HostConfig")):
        answer["HostConfig"] = {"NetworkMode": host.get("NetworkMode")}
    return answer


_CONTAINER_ONLY: Final = {
    "Hostname": "",
    "Domainname": "",
    "AttachStdin": False,
    "AttachStdout": False,
    "AttachStderr": False,
    "Tty": False,
    "OpenStdin": False,
    "StdinOnce": False,
    "Image": "",
}


_UNTIL_1_44: Final = ("Container", "ContainerConfig")
_OMITTED: Final = ("Comment", "Author")
_UNSET: Final = ("Cmd", "Entrypoint", "Env", "Labels", "OnBuild", "User", "Volumes", "WorkingDir")


def image_inspect(found: ImageInspect, version: Version) -> Document:
    """Return an image as ``version`` shows it.

    VirtualSize went in 1.44, the container it came from in 1.45, a container's own fields of Config in 1.50, and
    what is empty in 1.52; where it came from is told since 1.53.
    """
    config = found.get("Config")
    answer: Document = {name: value for name, value in found.items() if name not in _UNTIL_1_44}
    if version < (1, 53):
        answer.pop("Identity", None)
    if version >= (1, 52):
        answer = {
            name: value
            for name, value in answer.items()
            if name not in ("Parent", "DockerVersion") and (value or name not in _OMITTED)
        }
        answer["Config"] = {name: value for name, value in (config or {}).items() if value or name not in _UNSET}
        return answer
    answer = {"Parent": "", "DockerVersion": "", **answer}
    if version < (1, 50):
        answer["Config"] = {**_CONTAINER_ONLY, **(config or {})}
    if version < (1, 45):
        own = {**_CONTAINER_ONLY, "Cmd": None, "Env": None, "Labels": None, **(found.get("ContainerConfig") or {})}
        answer |= {"Container": found.get("Container") or "", "ContainerConfig": own}
    if version < (1, 44):
        answer |= {"VirtualSize": found.get("Size"), "Created": found.get("Created") or "0001-01-01T00:00:00Z"}
    return answer


def image_summary(found: ImageSummary, version: Version) -> Document:
    """Return an image of a list as ``version`` shows it; until 1.42 one without names has ``<none>`` for them."""
    answer: Document = {**found}
    if version < (1, 44):
        answer["VirtualSize"] = found.get("Size")
    if version < (1, 43):
        answer["RepoTags"] = found.get("RepoTags") or ["<none>:<none>"]
        answer["RepoDigests"] = found.get("RepoDigests") or ["<none>@<none>"]
    if version < (1, 51):
        answer["Containers"] = -1
    return answer


def network_create(request: NetworkCreateRequest, version: Version) -> NetworkCreateRequest:
    """Return a request to create a network as a client of the newest version would have sent it."""
    return {**request, "EnableIPv4": True} if version < (1, 48) else request


def network_inspect(found: NetworkInspect, version: Version) -> Document:
    """Return a network as ``version`` shows it: networks without IPv4 came with 1.48, addresses counted with 1.52."""
    answer: Document = {**found}
    if version < (1, 52):
        answer.pop("Status", None)
    if version < (1, 48):
        answer.pop("EnableIPv4", None)
    return answer


def network_summary(found: NetworkInspect, version: Version) -> Document:
    """Return a network of a list as ``version`` shows it: since 1.52 its containers are not even empty there."""
    answer = network_inspect(found, version)
    if version >= (1, 52):
        answer.pop("Containers", None)
    return answer


def event(found: EventMessage, version: Version) -> Document:
    """Return an event as ``version`` shows it: until 1.51 with the fields that clients knew before 1.22."""
    answer: Document = {**found}
    if version >= (1, 52):
        return answer
    actor = found.get("Actor") or {}
    if found.get("Type") in ("container", "image"):
        answer |= {"status": found.get("Action"), "id": actor.get("ID")}
    if found.get("Type") == "container":
        answer["from"] = (actor.get("Attributes") or {}).get("image", "")
    return answer


def info(found: Mapping[str, object], version: Version) -> Document:
    """Return the engine's state as ``version`` shows it."""
    answer: Document = {**found}
    if version < (1, 50):
        answer = {"BridgeNfIptables": False, "BridgeNfIp6tables": False, **answer}
        answer.pop("DiscoveredDevices", None)
    if version < (1, 49):
        answer.pop("FirewallBackend", None)
    if version < (1, 52):
        answer["KernelMemoryTCP"] = False
    return answer


_USAGE: Final = {
    # kind of object -> its field, the field until 1.52, and what that is when the kind was not asked for
    "image": ("ImageUsage", "Images"),
    "container": ("ContainerUsage", "Containers"),
    "volume": ("VolumeUsage", "Volumes"),
    "build-cache": ("BuildCacheUsage", "BuildCache"),
}


def usage_kinds(asked: Sequence[str], version: Version) -> set[str]:
    """Return the kinds of objects that ``GET /system/df`` is about: those asked for (since 1.42), by default all.

    Raises:
        InvalidArgument: there is no such kind.
    """
    if version < (1, 42):
        return set(_USAGE)
    if unknown := set(asked) - set(_USAGE):
        raise InvalidArgument(f"unknown object type: {min(unknown)}")
    return set(asked) or set(_USAGE)


def disk_usage(found: Mapping[str, DiskUsage], version: Version, *, verbose: bool = False) -> Document:
    """Return what takes room as ``version`` shows it.

    Until 1.51 all objects are listed. Since 1.52 there are figures for each kind, and the objects only when
    ``verbose``; 1.52 itself lists them in the old fields, too, unless ``verbose``. ``LogUsage`` is ours alone.
    """
    answer: Document = {}
    if version >= (1, 52):
        for kind, (field, _) in _USAGE.items():
            if usage := found.get(kind):
                answer[field] = {name: value for name, value in usage.items() if verbose or name != "Items"}
        if log := found.get("log"):
            answer["LogUsage"] = {name: value for name, value in log.items() if verbose or name != "Items"}
    if version < (1, 52) or (version == (1, 52) and not verbose):
        answer["LayersSize"] = (found.get("image") or {}).get("TotalSize") or 0
        for kind, (_, field) in _USAGE.items():
            answer[field] = found[kind].get("Items") if kind in found else None
    if version < (1, 44) and (images := cast("list[ImageSummary] | None", answer["Images"])):
        answer["Images"] = [{**image, "VirtualSize": image.get("Size")} for image in images]
    if version < (1, 42):
        answer["BuilderSize"] = 0
    return answer


_COULD_NOT_START: Final = {"ExitCode": 127, "Pid": 0}


def exec_inspect(found: Document, version: Version) -> Document:
    """Return an exec as ``version`` shows it: until 1.41 a command that was not found had 126 as its exit code."""
    if version < (1, 42) and found.items() >= _COULD_NOT_START.items():
        return {**found, "ExitCode": 126}
    return found
