"""What an engine collects of builds by itself: by rules, each for some results, one after the other. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from wharf.build.solver.cache import Record
from wharf.engine.builds.collecting import matches
from wharf.engine.options import BuildRule
from wharf.lib.durations import parse_duration


def most_bytes(rule: BuildRule, used: int, free: int) -> int | None:
    """Return how many bytes of results a rule lets be; None when it looks at no sizes.

    As much as may be used, less what must become free, but never less than what is reserved (BuildKit's order).

    Args:
        rule: which.
        used: bytes of all results.
        free: bytes of the disk.
    """
    if not (rule.reserved_bytes or rule.most_bytes or rule.free_bytes):
        return None
    limit = rule.most_bytes or None
    if (lacking := rule.free_bytes - free) > 0:
        freed = max(0, used - lacking)
        limit = freed if limit is None else min(limit, freed)
    if limit is None:
        limit = rule.reserved_bytes if rule.reserved_bytes and not rule.free_bytes else used
    return max(limit, rule.reserved_bytes)


def due(extent: tuple[int, int], rules: Sequence[BuildRule], now_ns: int) -> bool:
    """Return whether rules may let anything go: asked after each build.

    Args:
        extent: bytes of all results, and when the one used longest ago was used; 0 when there is none.
        rules: which.
        now_ns: since 1970.
    """
    used, oldest_ns = extent
    return bool(oldest_ns) and any(_may_apply(rule, used, now_ns - oldest_ns) for rule in rules)


def _may_apply(rule: BuildRule, used: int, age_ns: int) -> bool:
    ages = [*rule.filters.get("until", ()), *rule.filters.get("unused-for", ())]
    too_much = bool(rule.free_bytes) or used > max(rule.reserved_bytes, rule.most_bytes)
    return too_much and all(age_ns > parse_duration(age) for age in ages)


def going(records: Sequence[Record], rules: Sequence[BuildRule], free: int, now_ns: int) -> list[Record]:
    """Return what rules let go, of records with the one used longest ago first.

    Args:
        records: all results.
        rules: applied in their order; what one lets go is gone for the next.
        free: bytes of the disk that are free now.
        now_ns: since 1970.
    """
    gone: list[Record] = []
    left = list(records)
    for rule in rules:
        used = sum(record.size_bytes for record in left)
        limit = most_bytes(rule, used, free)
        for record in [record for record in left if not record.in_use and _is_of(record, rule, now_ns)]:
            if limit is not None and used <= limit:
                break
            left.remove(record)
            gone.append(record)
            used -= record.size_bytes
            free += record.size_bytes
    return gone


def _is_of(record: Record, rule: BuildRule, now_ns: int) -> bool:
    filters = dict(rule.filters)
    ages = [*filters.pop("until", ()), *filters.pop("unused-for", ())]
    old = all(now_ns - record.used_ns > parse_duration(age) for age in ages)
    return old and matches(record, {name: [*values] for name, values in filters.items()})
