from __future__ import annotations

from wharf.build.solver.cache import Record
from wharf.engine.buildkit.journal import stamp
from wharf.engine.buildkit.usage import field_of, usage_record

RECORD = Record("sha256:" + "a" * 64, 1, 2, 3, "RUN x", 4, "sha256:" + "b" * 64, in_use=True)


def test_a_result_is_listed_as_buildkit_lists_it() -> None:
    told = usage_record(RECORD)

    assert (told.ID, list(told.Parents), told.Size, told.UsageCount) == ("a" * 25, ["b" * 25], 4, 3)
    assert (told.CreatedAt, told.LastUsedAt, told.InUse, told.Description) == (stamp(1), stamp(2), True, "RUN x")


def test_filters_see_what_is_so_as_there_or_not() -> None:
    told = usage_record(RECORD)

    assert [field_of(told, name) for name in ("id", "parents", "type")] == ["a" * 25, "b" * 25, "regular"]
    assert [field_of(told, name) for name in ("inuse", "immutable", "private")] == ["", "", ""]
    assert [field_of(told, name) for name in ("mutable", "shared")] == [None, None]
