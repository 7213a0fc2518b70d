"""docker create: check the request, merge the image's configuration in, prepare the container's layer, record it."""

from __future__ import annotations

import asyncio
import posixpath
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, cast

from wharf.engine import scopes
from wharf.engine.containers import (
    endpoints,
    health,
    limits,
    links,
    mounts,
    networking,
    placeholders,
    user_namespace,
    validate,
)
from wharf.engine.containers.attributes import publish
from wharf.engine.containers.record import Container, Specification
from wharf.engine.containers.state import State
from wharf.engine.context import Context
from wharf.engine.documents import held
from wharf.engine.facts import require_here
from wharf.engine.logs.options import remarks as log_remarks
from wharf.engine.ocispec.namespaces import private_cgroupns
from wharf.engine.ocispec.process import merge_labels
from wharf.engine.plugins.log_drivers import require_log_driver
from wharf.errors import Conflict, InvalidArgument, NotFound
from wharf.images.record import ImageRecord
from wharf.lib.finishing import to_the_end
from wharf.lib.names import random_name
from wharf.lib.sizes import parse_size
from wharf.network.records import BUILTIN
from wharf.spec.engine_api.container import (
    ContainerConfig,
    ContainerCreateResponse,
    CreateContainer,
    HealthConfig,
    HostConfig,
    NetworkingConfig,
)
from wharf.spec.oci_image import ExecutionConfig

_MOST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Request:
    """A create request in its three parts, without nulls."""

    config: ContainerConfig
    host_config: HostConfig
    networking: NetworkingConfig


def split(document: CreateContainer) -> Request:
    """Take a create body apart, dropping what Go wrote as null."""
    filled = {key: value for key, value in document.items() if value is not None}
    host = {k: v for k, v in dict(filled.pop("HostConfig", {})).items() if v is not None}  # type: ignore[call-overload]
    networking = filled.pop("NetworkingConfig", {})
    return Request(filled, host, networking)  # type: ignore[arg-type]  # the same documents, less nulls


async def create(
    context: Context, document: CreateContainer, *, name: str | None, platform: str | None, owned: bool = False
) -> ContainerCreateResponse:
    """Create a container; nothing of it remains when this raises.

    One that is ``owned`` is removed by the next engine if nobody has started it.

    Raises:
        InvalidArgument: the request contradicts itself.
        NotImplementedHere: it asks for what this build does not do.
        NotFound: the image does not exist, or a network besides that of its mode.
        Conflict: the name is taken.
    """
    request = split(held(document, CreateContainer, "a container's request"))
    if not context.options.networks.has_bridge:
        request = Request(request.config, *endpoints.bridgeless(request.host_config, request.networking))
    validate.config(request.config)
    asked = context.options.containers.fill(request.host_config, cgroup2=context.facts.cgroup2)
    validate.host_config(asked)
    validate.together(request.config, request.host_config)
    await require_log_driver(context, (asked.get("LogConfig") or {}).get("Type") or "")
    require_here(asked)
    asked = context.options.runtimes.chosen(asked)
    if context.options.cgroup_driver == scopes.DRIVER and (parent := asked.get("CgroupParent")):
        scopes.check_parent(parent)
    user_namespace.check(context, asked)
    asked, warnings = limits.possible(asked, context.facts.controllers, unified=context.facts.cgroup2)
    _require_platform(platform)
    chosen = _choose_name(context, name)
    image = context.images.resolve(request.config.get("Image") or "", platform)
    config = merge(request.config, image.config.get("config") or {})
    validate.merged(config, request.host_config)
    argv = command_line(config)
    container_id = context.new_id()
    host = links.named(
        context, networking.with_ids(context, with_defaults(asked, cgroup2=context.facts.cgroup2)), chosen
    )
    container = Container(
        id=container_id,
        name=chosen,
        created_at=context.clock.now(),
        image_id=image.id,
        chain_id=image.chain_id,
        spec=Specification(
            config={**config, "Hostname": config.get("Hostname") or _default_hostname(host, container_id)},
            host_config=host,
            networking=endpoints.normalized(config, host, request.networking, _namer(context)),
            mounts=[],
            path=argv[0],
            args=argv[1:],
            owned=owned,
        ),
        state=State(),
    )
    with context.images.hold(image):
        await _prepare(context, container, image)
    log = host.get("LogConfig") or {}
    warnings += log_remarks(log.get("Type") or "", log.get("Config") or {})
    warnings += endpoints.warnings(container.spec.networking)
    return {"Id": container_id, "Warnings": [*warnings, *networking.unpublished(context, container)]}


async def _prepare(context: Context, container: Container, image: ImageRecord) -> None:
    """Make the container's volumes and folder, fill new volumes, write the record.

    In this order, for volumes and a folder without a record are swept when an engine starts. Who is cancelled
    meanwhile waits for what threads are at: they could not be called back, and nobody else would undo it.
    """
    try:
        await to_the_end(asyncio.create_task(_make(context, container, image)))
        context.registry.require_free(container.name)
        with context.database.transaction():
            context.registry.add(container)
            mounts.keep_volumes(context, container.spec.mounts)
            publish(context, container, "create")
    except BaseException:
        context.registry.abandon(container)
        await to_the_end(asyncio.create_task(_undo(context, container)))
        raise


async def _make(context: Context, container: Container, image: ImageRecord) -> None:
    spec = container.spec
    points = await mounts.resolve(context, spec.config, spec.host_config, container.id)
    container.spec = replace(spec, mounts=points)
    if context.snapshots.roots.copies:
        await asyncio.to_thread(context.snapshots.prepare, container.id, container.chain_id)
    else:  # three folders: to hand that to a thread takes longer
        context.snapshots.prepare(container.id, container.chain_id)
    await placeholders.put(context, container.id, container.chain_id)
    if size := (spec.host_config.get("StorageOpt") or {}).get("size"):
        await asyncio.to_thread(context.snapshots.limit, container.id, parse_size(size))
    await mounts.fill_volumes(context, spec, points, image)


async def _undo(context: Context, container: Container) -> None:
    await asyncio.to_thread(context.snapshots.discard, container.id)
    await context.volumes.remove_made_for(container.id)


def merge(own: ContainerConfig, image: ExecutionConfig) -> ContainerConfig:
    """Return ``own`` completed from the image (docker run reference, "Overriding image defaults"). Pure."""
    merged: ContainerConfig = {
        **own,
        "Env": _environment(own.get("Env") or [], image.get("Env") or []) or None,
        "Labels": merge_labels(image.get("Labels") or {}, own.get("Labels") or {}),
        "ExposedPorts": {**(image.get("ExposedPorts") or {}), **(own.get("ExposedPorts") or {})},
        "Volumes": {**(image.get("Volumes") or {}), **(own.get("Volumes") or {})} or None,
        "User": own.get("User") or image.get("User") or "",
        "WorkingDir": _cleaned(own.get("WorkingDir") or image.get("WorkingDir") or ""),
        "StopSignal": own.get("StopSignal") or image.get("StopSignal") or "",
        "Shell": own.get("Shell") or image.get("Shell"),
    }
    check = health.merge(own.get("Healthcheck"), cast("HealthConfig | None", image.get("Healthcheck")))
    if check is not None:
        merged["Healthcheck"] = check
    if not own.get("Entrypoint"):
        if "Entrypoint" not in own:  # an empty one is none at all, and not the image's
            merged["Entrypoint"] = image.get("Entrypoint")
        if not own.get("Cmd"):
            merged["Cmd"] = image.get("Cmd")
    if merged.get("Entrypoint") == [""]:
        merged["Entrypoint"] = None
    return merged


def _environment(own: list[str], image: list[str]) -> list[str]:
    """Return a container's variables as they were given, and after them those of its image that it has not."""
    names = {entry.partition("=")[0] for entry in own}
    return [*own, *(entry for entry in image if entry.partition("=")[0] not in names)]


def _cleaned(path: str) -> str:
    return posixpath.normpath(path).replace("//", "/") if path else ""


def command_line(config: ContainerConfig) -> list[str]:
    """Return entrypoint and command as one list. Pure.

    Raises:
        InvalidArgument: there is neither.
    """
    argv = [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
    if not argv:
        raise InvalidArgument("no command specified")
    return argv


def with_defaults(host: HostConfig, *, cgroup2: bool) -> HostConfig:
    """Return ``host`` with the values that Docker fills in, so that inspect shows what holds. Pure.

    ``cgroup2``: the machine has version 2 of control groups alone.
    """
    filled: HostConfig = {**host}
    filled["CgroupnsMode"] = "private" if private_cgroupns(host, cgroup2=cgroup2) else "host"
    if (processes := host.get("PidsLimit")) is not None and processes <= 0:  # 0 is how the docker command spells it
        filled["PidsLimit"] = None
    if host.get("MemorySwappiness") == -1:
        filled["MemorySwappiness"] = None
    memory = host.get("Memory") or 0
    if memory and not host.get("MemorySwap"):
        filled["MemorySwap"] = min(memory * 2, _MOST)
    if not (host.get("NetworkMode") or "").strip() or host.get("NetworkMode") == "default":
        filled["NetworkMode"] = "bridge"
    log = host.get("LogConfig") or {}
    filled["LogConfig"] = {"Type": log.get("Type") or "json-file", "Config": log.get("Config") or {}}
    policy = host.get("RestartPolicy") or {}
    filled["RestartPolicy"] = {
        "Name": policy.get("Name") or "no",
        "MaximumRetryCount": policy.get("MaximumRetryCount") or 0,
    }
    given = host.get("SecurityOpt") or []
    if ("host" in (host.get("IpcMode"), host.get("PidMode")) or host.get("Privileged")) and not any(
        option.startswith("label=") for option in given
    ):
        filled["SecurityOpt"] = [*given, "label=disable"]  # SELinux would keep what is the host's from the container
    filled["IpcMode"] = host.get("IpcMode") or "private"
    filled["ShmSize"] = host.get("ShmSize") or 64 * 1024 * 1024
    return filled


def _default_hostname(host: HostConfig, container_id: str) -> str:
    return socket.gethostname() if host.get("NetworkMode") == "host" else container_id[:12]


def _choose_name(context: Context, name: str | None) -> str:
    if name:
        bare = validate.name(name)
        context.registry.require_free(bare)
        return bare
    for retry in range(10):
        candidate = random_name(retry)
        if not context.registry.name_taken(candidate):
            return candidate
    raise Conflict("no free name was found: give the container one")


def _require_platform(platform: str | None) -> None:
    """Refuse what no image here can be of; as not found, as Docker does: an image of another system may be pulled."""
    system, slash, _ = (platform or "").lower().partition("/")
    if system == "windows" or (slash and system != "linux"):
        raise NotFound(f'"{platform}": unsupported platform: wharf runs linux containers only')


def _namer(context: Context) -> Callable[[str], str]:
    """Return what finds a network's name; one that does not exist keeps its own.

    Whether it exists is asked at the start, as Docker does: its command line takes "not found" from create for a
    missing image, and goes to pull that.
    """

    def name_of(ref: str) -> str:
        if ref in BUILTIN:  # they always exist
            return ref
        try:
            return context.networks.resolve(ref).name
        except (NotFound, InvalidArgument):
            return ref

    return name_of
