"""What builds keep, as BuildKit's clients list and prune it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from wharf.build.solver.cache import Record
from wharf.engine.buildkit.journal import stamp
from wharf.engine.buildkit.workbench import Workbench
from wharf.engine.builds.collecting import Collection, collect
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.spec.buildkit import control_pb2 as pb


async def disk_usage(bench: Workbench, filters: Sequence[str]) -> pb.DiskUsageResponse:
    """Return the results that are kept.

    Raises:
        NotImplementedHere: filters are not supported.
    """
    if asked := [text for text in filters if text]:  # buildx sends an empty one
        raise NotImplementedHere(f"filters of the disk usage are not supported by this build of wharf: {asked[0]}")
    return pb.DiskUsageResponse(record=map(usage_record, await asyncio.to_thread(bench.cache.records)))


def usage_record(record: Record) -> pb.UsageRecord:
    """Return one result as BuildKit lists it. Pure."""
    return pb.UsageRecord(
        ID=_name(record.chain_id),
        InUse=record.in_use,
        Size=record.size_bytes,
        Parents=[_name(record.parent)] if record.parent else [],
        CreatedAt=stamp(record.created_ns),
        LastUsedAt=stamp(record.used_ns),
        UsageCount=record.uses,
        Description=record.description,
        RecordType="regular",
    )


async def prune(bench: Workbench, request: pb.PruneRequest) -> AsyncIterator[pb.UsageRecord]:
    """Remove results, and yield what is gone; contexts that are kept go too.

    Raises:
        NotImplementedHere: free space as a limit is not supported.
        InvalidArgument: a filter is malformed.
    """
    if request.minFreeSpace:
        raise NotImplementedHere("min-free-space is not supported by this build of wharf: use max-used-space")
    before = {_name(one.chain_id): one for one in await asyncio.to_thread(bench.cache.records)}
    kept = Collection(request.reservedSpace, request.maxUsedSpace, request.keepDuration)
    answer = await collect(bench.context, bench.cache, filters_of(request.filter), kept)
    if not (any(request.filter) or request.reservedSpace or request.maxUsedSpace or request.keepDuration):
        await asyncio.to_thread(lambda: bench.kept.collect(everything=True))
    for name in answer["CachesDeleted"]:
        if name in before:
            yield usage_record(before[name])


def filters_of(texts: Iterable[str]) -> Mapping[str, list[str]]:
    """Return filters, ``name==value`` each as containerd spells them, as the engine's. Pure.

    Raises:
        InvalidArgument: one is spelt otherwise.
    """
    found: dict[str, list[str]] = {}
    for text in filter(None, texts):
        name, equals, value = text.partition("==")
        if not equals:
            raise InvalidArgument(f"invalid filter {text}")
        found.setdefault(name, []).append(value)
    return found


def _name(chain_id: str) -> str:
    return chain_id.removeprefix("sha256:")[:25]
