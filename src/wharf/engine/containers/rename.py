"""docker rename and update: the two verbs that change what was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

from wharf.engine import scopes
from wharf.engine.containers import validate
from wharf.engine.containers.attributes import publish
from wharf.engine.containers.devices import THROTTLES, with_numbers
from wharf.engine.containers.record import Container, Specification
from wharf.engine.containers.state import require
from wharf.engine.containers.throttle import throttled
from wharf.engine.context import Context
from wharf.engine.facts import require_here
from wharf.engine.ocispec import resources
from wharf.errors import Conflict, InvalidArgument, NotImplementedHere, WharfError
from wharf.spec.engine_api.container import (
    ContainerUpdateRequest,
    ContainerUpdateResponse,
    HostConfig,
    HostConfigBlkioWeightDeviceItem,
    ThrottleDevice,
)

_TOO_MUCH: Final = (
    "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time"
)
_NOT_NAMED: Final = "Error when allocating new name: "
_BY_DEVICE: Final = (*THROTTLES, "BlkioWeightDevice")
UPDATABLE: Final = frozenset(
    {
        *_BY_DEVICE,
        "BlkioWeight", "CpuShares", "CpuPeriod", "CpuQuota", "CpuRealtimePeriod", "CpuRealtimeRuntime", "CpusetCpus",
        "CpusetMems", "Memory", "MemoryReservation", "MemorySwap", "NanoCpus", "PidsLimit", "RestartPolicy",
    }
)  # fmt: skip


async def rename(context: Context, ref: str, name: str) -> None:
    """Give a container another name.

    Raises:
        InvalidArgument: it is not a name.
        Conflict: another container has it.
    """
    container = context.registry.resolve(ref)
    if not name:
        raise InvalidArgument("Neither old nor new names may be empty")
    bare = name.removeprefix("/")
    try:
        new = validate.name(bare)
    except InvalidArgument as error:
        raise InvalidArgument(f"{_NOT_NAMED}{error}".replace(f"({bare})", f"(/{bare})")) from error
    async with container.lock:
        require("rename", container.state, container_id=container.id, name=container.name)
        if new == container.name:
            raise InvalidArgument("Renaming a container with the same name as its current name")
        old = container.name
        try:
            context.registry.rename(container, new)
        except Conflict as error:
            raise Conflict(f"{_NOT_NAMED}{error}") from error
        if container.endpoints:
            container.endpoints = await context.networks.rename(container.id, old, new)
    publish(context, container, "rename", oldName=f"/{old}")


async def update(context: Context, ref: str, document: ContainerUpdateRequest) -> ContainerUpdateResponse:
    """Change limits, network rates and the restart policy, also of a running container.

    Raises:
        NotImplementedHere: a field is set that cannot be changed.
        InvalidArgument, Conflict: the result would contradict itself.
    """
    asked = {key: value for key, value in document.items() if value and key != "NetworkingConfig"}
    if not (document.get("RestartPolicy") or {}).get("Name"):
        asked.pop("RestartPolicy", None)  # clients send one without a name when they mean another field
    # Of limits by device an empty list is none any more.
    asked |= {key: value for key, value in document.items() if key in _BY_DEVICE and value is not None}
    if (processes := document.get("PidsLimit")) is not None:
        asked["PidsLimit"] = max(processes, 0)  # none at all, by either spelling, is something to ask for
    for field in asked.keys() - UPDATABLE:
        raise NotImplementedHere(f"updating {field} is not supported by this build of wharf")
    container = context.registry.resolve(ref)
    async with container.lock:
        require("update", container.state, container_id=container.id, name=container.name)
        _require_swap(container, asked)
        merged = _merged(container.spec, asked)
        async with throttled(context, container, document.get("NetworkingConfig")):
            if container.state.alive:
                await _apply(context, container, lifted(container.spec.host_config, merged))
            context.registry.respecify(container, replace(container.spec, host_config=merged))
    publish(context, container, "update")
    return {"Warnings": []}


def _merged(spec: Specification, asked: Mapping[str, object]) -> HostConfig:
    replaced = (
        {"CpuPeriod": 0, "CpuQuota": 0} if "NanoCpus" in asked else {}
    )  # unless both are asked for, which is refused
    merged: HostConfig = {**spec.host_config, **replaced, **asked}  # type: ignore[typeddict-item]  # its fields were checked
    if (merged.get("RestartPolicy") or {}).get("Name") not in ("no", "", None) and merged.get("AutoRemove"):
        raise Conflict("Restart policy cannot be updated because AutoRemove is enabled for the container")
    validate.host_config(merged)
    require_here(merged)
    validate.merged(spec.config, merged)
    return merged


async def _apply(context: Context, container: Container, host: HostConfig) -> None:
    numbered = await asyncio.to_thread(with_numbers, host)
    limits = resources.of_host_config(numbered, [], privileged=True)
    del limits["devices"]
    try:
        await asyncio.to_thread(context.cgroup_of(container).apply, limits)
    except OSError as error:  # a device that has no such scheduler, less memory than is in use
        raise WharfError(f"Cannot update container {container.id}: {error.strerror}") from error
    if container.shim and (scope := context.scope_of(container)):
        await asyncio.to_thread(scopes.tell, scope, limits)


def lifted(before: HostConfig, after: HostConfig) -> HostConfig:
    """Return ``after`` as a control group is told that has the limits of ``before``: those that go are named."""
    told: HostConfig = {**after}
    if after.get("PidsLimit") == 0:
        told["PidsLimit"] = -1
    for name in THROTTLES:
        old, new = (
            cast("Mapping[str, list[ThrottleDevice] | None]", host).get(name) or [] for host in (before, after)
        )
        limited = {one.get("Path") for one in new}
        gone = [ThrottleDevice(Path=one.get("Path"), Rate=0) for one in old if one.get("Path") not in limited]
        told[name] = [*new, *gone]
    weights = after.get("BlkioWeightDevice") or []
    weighed = {one.get("Path") for one in weights}
    lost = [one.get("Path") or "" for one in before.get("BlkioWeightDevice") or [] if one.get("Path") not in weighed]
    told["BlkioWeightDevice"] = [*weights, *(HostConfigBlkioWeightDeviceItem(Path=path, Weight=0) for path in lost)]
    return told


def _require_swap(container: Container, asked: Mapping[str, object]) -> None:
    """Refuse more memory than there is memory and swap together, as Docker does: without limits, 0 of both."""
    memory, swap = asked.get("Memory"), container.spec.host_config.get("MemorySwap") or 0
    if isinstance(memory, int) and memory > swap and not asked.get("MemorySwap"):
        validate.host_config({"Memory": memory})  # what cannot be at all is said first
        raise Conflict(f"Cannot update container {container.id}: {_TOO_MUCH}")
