from __future__ import annotations

from pathlib import Path

import pytest

from wharf.kernel.cgroup import details

_V1 = {
    "cpuacct.usage_all": "cpu user system\n0 10 20\n1 30 40\n",
    "cpuset.cpus": "0-1,3\n",
    "cpuset.mems": "0\n",
    "cpuset.sched_load_balance": "1\n",
    "cpuset.sched_relax_domain_level": "-1\n",
    "memory.memsw.usage_in_bytes": "5\n",
    "memory.memsw.max_usage_in_bytes": "6\n",
    "memory.memsw.limit_in_bytes": "9223372036854771712\n",
    "memory.memsw.failcnt": "7\n",
    "memory.kmem.usage_in_bytes": "8\n",
}
_V2 = {
    "cpuset.cpus": "\n",
    "cpuset.cpus.effective": "0-1\n",
    "cpuset.mems.effective": "0\n",
    "memory.current": "100\n",
    "memory.max": "1000\n",
    "memory.swap.current": "10\n",
    "memory.swap.max": "200\n",
    "memory.swap.events": "high 0\nmax 3\nfail 0\n",
}


def test_what_v1_counts() -> None:
    found = details.details(_V1.get, ("memory", "cpuset"))

    assert (found["user_percpu_ns"], found["system_percpu_ns"]) == ([10, 30], [20, 40])
    assert (found["cpuset"]["cpus"], found["cpuset"]["mems"]) == ([0, 1, 3], [0])
    assert (found["cpuset"]["sched_load_balance"], found["cpuset"]["sched_relax_domain_level"]) == (1, -1)
    assert found["swap"] == {"usage": 5, "max": 6, "limit": None, "fail_count": 7}
    assert found["kernel"] == {"usage": 8, "max": 0, "limit": 0, "fail_count": 0}


def test_what_v2_counts_is_told_in_v1s_terms() -> None:
    found = details.details(_V2.get, ())

    assert (found["cpuset"]["cpus"], found["cpuset"]["mems"]) == ([0, 1], [0])
    assert found["swap"] == {"usage": 110, "max": 0, "limit": 1200, "fail_count": 3}
    assert found["user_percpu_ns"] == []


@pytest.mark.parametrize(
    ("files", "old", "usage"),
    [
        ({"hugetlb.2MB.usage_in_bytes": "1\n"}, ("hugetlb",), 1),
        ({"hugetlb.2MB.usage_in_bytes": "1\n", "hugetlb.2MB.rsvd.usage_in_bytes": "2\n"}, ("hugetlb",), 2),
        ({"hugetlb.2MB.current": "3\n", "hugetlb.2MB.rsvd.current": "4\n"}, (), 4),
        ({"hugetlb.2MB.current": "3\n"}, (), 3),
    ],
)
def test_reserved_pages_are_told_where_the_kernel_counts_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str], old: tuple[str, ...], usage: int
) -> None:
    (tmp_path / "hugepages-2048kB").mkdir()
    monkeypatch.setattr(details, "_PAGES", str(tmp_path))

    assert details.details(files.get, old)["hugetlb"]["2MB"]["usage"] == usage


def test_sizes_of_pages_are_spelt_as_control_groups_spell_them(tmp_path: Path) -> None:
    for kilobytes in (64, 2048, 1048576):
        (tmp_path / f"hugepages-{kilobytes}kB").mkdir()

    assert sorted(details.page_sizes(str(tmp_path))) == ["1GB", "2MB", "64KB"]
    assert details.page_sizes(str(tmp_path / "missing")) == []


def test_a_list_of_nothing_is_empty() -> None:
    assert details.numbers("\n") == []
    assert details.numbers("1,3-4") == [1, 3, 4]
