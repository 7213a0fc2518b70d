"""docker container prune."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from wharf.engine.containers import remove
from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.errors import InvalidArgument, WharfError
from wharf.lib.filters import match_labels
from wharf.lib.moments import parse_moment, to_ns


async def prune(context: Context, filters: Mapping[str, list[str]]) -> dict[str, object]:
    """Remove every container that does not run and passes ``filters`` (until, label, label!)."""
    if unknown := filters.keys() - {"until", "label", "label!"}:
        raise InvalidArgument(f"invalid filter '{sorted(unknown)[0]}'")
    if len(filters.get("until", [])) > 1:
        raise InvalidArgument("more than one until filter specified")
    now_ns = to_ns(context.clock.now())
    until_ns = min((parse_moment(value, now_ns=now_ns) for value in filters.get("until", [])), default=None)
    deleted, reclaimed = [], 0
    for container in context.registry:
        if container.state.status in ("created", "exited", "dead") and _passes(container, filters, until_ns):
            size = await asyncio.to_thread(context.snapshots.size_of, container.id, container.chain_id)
            try:
                await remove.remove(context, container.id, force=False, volumes=False, link=False)
            except WharfError:
                continue  # somebody started or removed it meanwhile
            deleted.append(container.id)
            reclaimed += size
    return {"ContainersDeleted": deleted, "SpaceReclaimed": reclaimed}


def _passes(container: Container, filters: Mapping[str, list[str]], until_ns: int | None) -> bool:
    labels = container.spec.config.get("Labels")
    return match_labels(filters, labels) and (until_ns is None or to_ns(container.created_at) < until_ns)
