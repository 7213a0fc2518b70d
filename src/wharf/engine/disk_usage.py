"""docker system df: what the engine's objects take on disk, and what a prune would give back."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final, Protocol

from wharf.engine.context import Context
from wharf.spec.engine_api.build import CacheRecord
from wharf.spec.engine_api.container import ContainerSummary
from wharf.spec.engine_api.image import ImageSummary
from wharf.spec.engine_api.system import DiskUsage
from wharf.spec.engine_api.volume import Volume

KINDS: Final = ("container", "image", "volume", "build-cache")
_ACTIVE: Final = frozenset({"running", "paused", "restarting"})


class Listing(Protocol):
    """Where containers are listed with their sizes."""

    async def list(
        self,
        *,
        all: bool,  # noqa: A002  # the API's own word
        limit: int | None = None,
        size: bool = False,
        filters: Mapping[str, list[str]] | None = None,
    ) -> builtins.list[ContainerSummary]:
        """Return containers."""


class Results(Protocol):
    """Where the results of builds are listed."""

    async def usage(self) -> builtins.list[CacheRecord]:
        """Return them all."""


async def disk_usage(
    context: Context, containers: Listing, builds: Results, kinds: Collection[str] = KINDS
) -> dict[str, DiskUsage]:
    """Return a DiskUsage for each of the kinds asked for, by kind, with every object in ``Items``.

    ``log`` is one more, beside the containers: the bytes of their logs, which no filesystem layer counts.
    """
    found: dict[str, DiskUsage] = {}
    if "image" in kinds:
        found["image"] = await _images(context)
    if "container" in kinds:
        found["container"] = _containers(await containers.list(all=True, size=True))
        found["log"] = await asyncio.to_thread(_logs, context)
    if "volume" in kinds:
        found["volume"] = await _volumes(context)
    if "build-cache" in kinds:
        found["build-cache"] = _results(await builds.usage())
    return found


def _results(records: builtins.list[CacheRecord]) -> DiskUsage:
    size = sum(record.get("Size") or 0 for record in records)
    used = [record for record in records if record.get("InUse")]
    held = sum(record.get("Size") or 0 for record in used)
    return _usage([*records], active=len(used), size=size, reclaimable=size - held)


def _usage(items: list[object], *, active: int, size: int, reclaimable: int) -> DiskUsage:
    return {
        "ActiveCount": active,
        "TotalCount": len(items),
        "Reclaimable": reclaimable,
        "TotalSize": size,
        "Items": items,
    }


async def _images(context: Context) -> DiskUsage:
    images = await context.images.list(all=False, filters={}, shared_size=True, digests=False)
    for image in images:
        image["Containers"] = sum(container.image_id == image.get("Id") for container in context.registry)
    return image_usage(images, context.snapshots.total_size())


def image_usage(images: list[ImageSummary], layers_size: int) -> DiskUsage:
    """Return what images take; what only unused ones hold is reclaimable. Pure."""
    used = [image for image in images if (image.get("Containers") or 0) > 0]
    # A layer that images share is counted with none of them, as by docker's command line.
    kept = sum((image.get("Size") or 0) - max(0, image.get("SharedSize") or 0) for image in used)
    return _usage([*images], active=len(used), size=layers_size, reclaimable=max(0, layers_size - kept))


def _containers(containers: list[ContainerSummary]) -> DiskUsage:
    for container in containers:
        container.pop("ImageManifestDescriptor", None)  # Docker's has none here
    idle = [container for container in containers if container.get("State") not in _ACTIVE]
    return _usage(
        [*containers],
        active=len(containers) - len(idle),
        size=sum(container.get("SizeRw") or 0 for container in containers),
        reclaimable=sum(container.get("SizeRw") or 0 for container in idle),
    )


async def _volumes(context: Context) -> DiskUsage:
    listed = (await context.volumes.list({}, in_use=context.volume_users)).get("Volumes") or []
    volumes = [await _measured(context, volume) for volume in listed]
    return volume_usage(volumes)


async def _measured(context: Context, volume: Volume) -> Volume:
    name = volume.get("Name") or ""
    references = len(context.volume_users(name))
    return {**volume, "UsageData": {"Size": await context.volumes.usage(name), "RefCount": references}}


def volume_usage(volumes: list[Volume]) -> DiskUsage:
    """Return what volumes take; a size of -1 is one that nobody can tell. Pure."""
    figures = [volume.get("UsageData") or {} for volume in volumes]
    unused = [usage for usage in figures if not usage.get("RefCount")]
    return _usage(
        [*volumes],
        active=len(volumes) - len(unused),
        size=sum(max(0, usage.get("Size") or 0) for usage in figures),
        reclaimable=sum(max(0, usage.get("Size") or 0) for usage in unused),
    )


def _logs(context: Context) -> DiskUsage:
    sizes = [(_log_size(context.data.log(container.id)), container) for container in list(context.registry)]
    return _usage(
        [{"Id": container.id, "Size": size} for size, container in sizes],
        active=sum(container.state.alive for _, container in sizes),
        size=sum(size for size, _ in sizes),
        reclaimable=sum(size for size, container in sizes if not container.state.alive),
    )


def _log_size(log: Path) -> int:
    """Return the bytes of a log with its rotated files."""
    return sum(path.stat().st_size for path in log.parent.glob(f"{log.name}*"))
