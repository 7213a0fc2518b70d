from __future__ import annotations

import pytest

from wharf.kernel.cgroup.units import expanded, limits


def test_a_slices_name_says_where_it_is() -> None:
    assert [expanded(name) for name in ("a.slice", "a-b-c.slice", "-.slice")] == [
        "/a.slice",
        "/a.slice/a-b.slice/a-b-c.slice",
        "",
    ]


@pytest.mark.parametrize("name", ["a", "", ".slice", "a--b.slice", "-a.slice", "a/b.slice"])
def test_other_names_are_no_slices(name: str) -> None:
    with pytest.raises(ValueError, match="invalid slice name"):
        expanded(name)


def test_limits_are_told_in_systemds_units() -> None:
    assert limits({"cpu": {"shares": 1024, "quota": -1}, "memory": {"limit": -1}, "pids": {"limit": 0}}) == [
        ("MemoryMax", ("t", (1 << 64) - 1)),
        ("CPUWeight", ("t", 100)),
        ("CPUQuotaPerSecUSec", ("t", (1 << 64) - 1)),
        ("TasksMax", ("t", 0)),
    ]
