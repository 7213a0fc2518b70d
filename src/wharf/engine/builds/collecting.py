"""docker builder prune, and what an engine collects by itself: results by age and size."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from wharf.build.solver.cache import Cache, Record
from wharf.engine.context import Context
from wharf.lib.durations import parse_duration
from wharf.lib.filters import Filters, match_labels, require_known, truth
from wharf.lib.timestamps import rfc3339_nano
from wharf.spec.engine_api.build import BuildPruneResponse, CacheRecord

_FILTERS: Final = frozenset(
    {
        "until", "unused-for", "id", "parent", "type", "description", "inuse", "shared", "private", "label", "label!",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Collection:
    """What is to be kept."""

    kept_bytes: int = 0
    max_used_bytes: int = 0
    unused_for_ns: int = 0


def chosen(records: Sequence[Record], asked: Collection, now_ns: int) -> list[Record]:
    """Return what goes, of records with the one used longest ago first. Pure.

    Without an age, the least recently used go until no more than ``kept_bytes`` are left; each condition counts by
    itself.
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


def staying_bytes(used: int, free: int, free_wanted: int, most: int) -> int:
    """Return how many bytes of results may stay for so much space to be free; at least one: 0 is no limit. Pure."""
    may_stay = max(1, used - max(0, free_wanted - free))
    return min(may_stay, most) if most else may_stay


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
    going = [record for record in chosen(records, asked, now) if matches(record, filters) and wanted(record)]
    if not going:
        return {"CachesDeleted": [], "SpaceReclaimed": 0}
    return await remove(context, cache, going)


async def remove(context: Context, cache: Cache, going: Sequence[Record]) -> BuildPruneResponse:
    """Remove these results; layers that an image lies on stay, and are no longer known as results."""
    gone = await asyncio.to_thread(cache.forget, [record.chain_id for record in going])
    freed = await context.images.release(*gone)
    return {"CachesDeleted": [_id(chain_id) for chain_id in gone], "SpaceReclaimed": freed}


def matches(record: Record, filters: Filters) -> bool:
    """Return whether a result is among those that filters ask for: results are all regular, private, without labels.

    Raises:
        InvalidArgument: a value is neither true nor false where it has to be.
    """
    described, parent = filters.get("description") or [], _id(record.parent) if record.parent else ""
    facts = {"inuse": record.in_use, "shared": False, "private": True}
    return (
        _begins(_id(record.chain_id), filters.get("id"))
        and _begins(parent, filters.get("parent"))
        and (not described or any(text in record.description for text in described))
        and (not filters.get("type") or "regular" in filters["type"])
        and all(truth(filters, name) in (None, fact) for name, fact in facts.items())
        and match_labels(filters, {})
    )


def _begins(text: str, wanted: Sequence[str] | None) -> bool:
    return not wanted or any(text.startswith(one) for one in wanted if one)


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
