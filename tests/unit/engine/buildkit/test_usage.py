from __future__ import annotations

import pytest

from wharf.build.solver.cache import Record
from wharf.engine.buildkit.journal import stamp
from wharf.engine.buildkit.usage import filters_of, usage_record
from wharf.errors import InvalidArgument

RECORD = Record("sha256:" + "a" * 64, 1, 2, 3, "RUN x", 4, "sha256:" + "b" * 64, in_use=True)


def test_a_result_is_listed_as_buildkit_lists_it() -> None:
    told = usage_record(RECORD)

    assert (told.ID, list(told.Parents), told.Size, told.UsageCount) == ("a" * 25, ["b" * 25], 4, 3)
    assert (told.CreatedAt, told.LastUsedAt, told.InUse, told.Description) == (stamp(1), stamp(2), True, "RUN x")


def test_filters_are_names_and_values() -> None:
    assert filters_of(["id==x", "", "id==y", "until==3h"]) == {"id": ["x", "y"], "until": ["3h"]}
    with pytest.raises(InvalidArgument):
        filters_of(["nonsense"])
