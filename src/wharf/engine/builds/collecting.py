"""docker builder prune, and what an engine collects by itself: results by age and size."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from wharf.build.solver.cache import Cache, Record
from wharf.engine.context import Context
from wharf.errors import InvalidArgument
from wharf.lib.durations import parse_duration
from wharf.lib.filters import Filters, require_known
from wharf.lib.timestamps import rfc3339_nano
from wharf.spec.engine_api.build import BuildPruneResponse, CacheRecord

_FILTERS: Final = frozenset(
    {"until", "unused-for", "id", "parent", "type", "description", "inuse", "shared", "private"}
)
_MOST_BYTES: Final = 20 << 30
_OLDEST_NS: Final = 30 * 24 * 3600 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Collection:
    """What is to be kept."""

    kept_bytes: int = 0
    max_used_bytes: int = 0
    unused_for_ns: int = 0

    @classmethod
    def by_policy(cls) -> Self:
        """Return what an engine keeps by itself: 20 GiB, nothing that was not used for thirty days."""
        return cls(kept_bytes=_MOST_BYTES, unused_for_ns=_OLDEST_NS)


def chosen(records: Sequence[Record], asked: Collection, now_ns: int) -> list[Record]:
    """Return what goes, of records with the one used longest ago first. Pure.

    Without an age, the least recently used go until no more than ``kept_bytes`` are left; the policy's two conditions
    count each by itself.
    """
    limit = max(asked.kept_bytes, asked.max_used_bytes)
    total = sum(record.size_bytes for record in records)
    going = []
    for record in records:
        if record.in_use:
            continue
        old = bool(asked.unused_for_ns) and now_ns - record.used_ns > asked.unused_for_ns
        too_much = total > limit if limit else not asked.unused_for_ns
        if old or too_much:
            going.append(record)
            total -= record.size_bytes
    return going


async def collect(
    context: Context,
    cache: Cache,
    filters: Filters,
    asked: Collection,
    wanted: Callable[[Record], bool] = lambda _: True,
) -> BuildPruneResponse:
    """Remove results; layers that an image lies on stay, and are no longer known as results.

    Args:
        context: the engine.
        cache: whose results.
        filters: which, as the Engine API spells it.
        asked: what is to be kept.
        wanted: what may go.

    Raises:
        InvalidArgument: a filter is unknown or malformed.
    """
    require_known(filters, _FILTERS)
    now = time.time_ns()
    until = next(iter([*filters.get("until", []), *filters.get("unused-for", [])]), "")
    if until:
        asked = Collection(asked.kept_bytes, asked.max_used_bytes, parse_duration(until))
    records = await asyncio.to_thread(cache.records)
    going = [record for record in chosen(records, asked, now) if _matches(record, filters) and wanted(record)]
    if not going:
        return {"CachesDeleted": [], "SpaceReclaimed": 0}
    gone = await asyncio.to_thread(cache.forget, [record.chain_id for record in going])
    freed = await context.images.release(*gone)
    return {"CachesDeleted": [_id(chain_id) for chain_id in gone], "SpaceReclaimed": freed}


def _matches(record: Record, filters: Filters) -> bool:
    wanted = filters.get("id") or []
    if wanted and not any(_id(record.chain_id).startswith(text) for text in wanted):
        return False
    described = filters.get("description") or []
    if described and not any(text in record.description for text in described):
        return False
    for name in ("shared", "private", "inuse", "parent", "type"):
        if name in filters:
            raise InvalidArgument(f"the filter {name} is not supported by this build of wharf")
    return True


def records_of(cache: Cache) -> list[CacheRecord]:
    """Return the results as the Engine API lists them; blocking."""
    return [
        {
            "ID": _id(record.chain_id),
            "Parents": [_id(record.parent)] if record.parent else [],
            "Type": "regular",
            "Description": record.description,
            "InUse": record.in_use,
            "Shared": False,
            "Size": record.size_bytes,
            "CreatedAt": rfc3339_nano(record.created_ns),
            "LastUsedAt": rfc3339_nano(record.used_ns),
            "UsageCount": record.uses,
        }
        for record in cache.records()
    ]


def _id(chain_id: str) -> str:
    return chain_id.removeprefix("sha256:")[:25]
