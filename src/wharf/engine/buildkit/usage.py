"""What builds keep, as BuildKit's clients list and prune it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Final

from wharf.build.solver.cache import Record
from wharf.engine.buildkit.filters import Condition, matcher
from wharf.engine.buildkit.journal import stamp
from wharf.engine.buildkit.workbench import Workbench
from wharf.engine.builds.collecting import Collection, collect, staying_bytes
from wharf.spec.buildkit import control_pb2 as pb

_FIELDS: Final = (
    "id", "parents", "description", "inuse", "mutable", "immutable", "type", "shared", "private",
)  # fmt: skip


async def disk_usage(bench: Workbench, filters: Sequence[str]) -> pb.DiskUsageResponse:
    """Return the results that are kept.

    Raises:
        InvalidArgument: a filter is malformed, or about an unknown field.
        NotImplementedHere: a filter has a regular expression that is more than plain text.
    """
    test = matcher(filters, _FIELDS, _meaning)
    records = map(usage_record, await asyncio.to_thread(bench.cache.records))
    return pb.DiskUsageResponse(record=[one for one in records if test(one)])


def _meaning(condition: Condition) -> Callable[[pb.UsageRecord], bool]:
    return lambda record: condition.holds(partial(field_of, record))


def field_of(record: pb.UsageRecord, name: str) -> str | None:
    """Return a field as filters see it; what is so or not is there or not. Pure."""
    texts = {
        "id": record.ID,
        "parents": ",".join(record.Parents),
        "description": record.Description,
        "type": record.RecordType,
    }
    if name in texts:
        return texts[name]
    facts = {
        "inuse": record.InUse,
        "mutable": record.Mutable,
        "immutable": not record.Mutable,
        "shared": record.Shared,
        "private": not record.Shared,
    }
    return "" if facts[name] else None


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
        InvalidArgument: a filter is malformed, or about an unknown field.
        NotImplementedHere: a filter has a regular expression that is more than plain text.
    """
    test = matcher(request.filter, _FIELDS, _meaning)
    before = {_name(one.chain_id): one for one in await asyncio.to_thread(bench.cache.records)}
    limit = request.maxUsedSpace
    if request.minFreeSpace:
        used = sum(one.size_bytes for one in before.values())
        free = shutil.disk_usage(bench.context.data.path).free
        limit = staying_bytes(used, free, request.minFreeSpace, limit)
    kept = Collection(request.reservedSpace, limit, request.keepDuration)
    unlimited = not (request.reservedSpace or limit or request.keepDuration)

    def wanted(one: Record) -> bool:
        return test(usage_record(one))

    answer = await collect(bench.context, bench.cache, {}, kept, wanted)
    if unlimited and not any(request.filter):
        await asyncio.to_thread(lambda: bench.kept.collect(everything=True))
    for name in answer["CachesDeleted"]:
        if name in before:
            yield usage_record(before[name])


def _name(chain_id: str) -> str:
    return chain_id.removeprefix("sha256:")[:25]
