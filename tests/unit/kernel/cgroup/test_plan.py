from __future__ import annotations

import errno

import pytest

from wharf.kernel.cgroup.plan import plan


def _planned(resources: dict[str, object], *old: str, bfq: bool = False) -> list[tuple[str, str]]:
    writes = plan(resources, old, quota=lambda: "5000", is_file=lambda _: bfq)
    return [pair for group in writes for pair in group]


_ALL: dict[str, object] = {
    "memory": {"limit": 100},
    "cpu": {"shares": 1024, "period": 10000, "cpus": "0"},
    "pids": {"limit": 5},
    "blockIO": {"weight": 500},
    "hugepageLimits": [{"pageSize": "2MB", "limit": 1}],
    "rdma": {"mlx5_1": {"hcaHandles": 3}},
    "unified": {"memory.high": "50"},
}


def test_each_limit_goes_to_the_version_that_has_its_controller() -> None:
    assert _planned(_ALL) == [
        ("rdma.max", "mlx5_1 hca_handle=3"),
        ("memory.max", "100"),
        ("cpu.weight", "100"),
        ("cpu.max", "5000 10000"),
        ("cpuset.cpus", "0"),
        ("pids.max", "5"),
        ("io.weight", "4950"),
        ("hugetlb.2MB.max", "1"),
        ("memory.high", "50"),
    ]
    assert _planned(_ALL, "memory", "cpu", "pids", "blkio", "hugetlb") == [
        ("rdma.max", "mlx5_1 hca_handle=3"),
        ("memory.limit_in_bytes", "100"),
        ("cpu.shares", "1024"),
        ("cpu.cfs_period_us", "10000"),
        ("cpuset.cpus", "0"),
        ("pids.max", "5"),
        ("blkio.weight", "500"),
        ("hugetlb.2MB.limit_in_bytes", "1"),
        ("memory.high", "50"),
    ]


def test_weights_are_the_schedulers_where_it_has_some() -> None:
    assert ("io.bfq.weight", "500") in _planned(_ALL, bfq=True)


@pytest.mark.parametrize("old", [(), ("blkio",)])
def test_a_device_that_is_to_have_a_weight_and_has_none_is_refused(old: tuple[str, ...]) -> None:
    device = {"major": 8, "minor": 0}
    with pytest.raises(OSError, match="8:0 has neither weight nor leafWeight") as caught:
        _planned({"blockIO": {"weightDevice": [{**device, "weight": 200}, device]}}, *old)

    assert caught.value.errno == errno.EINVAL


def test_a_weight_that_is_taken_back_is_one() -> None:
    device = {"major": 8, "minor": 0, "weight": 0}

    assert ("io.weight", "8:0 default") in _planned({"blockIO": {"weightDevice": [device]}})


@pytest.mark.parametrize("old", [(), ("pids",)])
def test_a_number_of_processes_need_not_be_given(old: tuple[str, ...]) -> None:
    assert _planned({"pids": {"unheard": 1}}, *old) == []


def test_device_rules_are_writes_on_v1_alone() -> None:
    rules: dict[str, object] = {"devices": [{"allow": False}]}

    assert (_planned(rules), _planned(rules, "devices")) == ([], [("devices.deny", "a")])


def test_classes_of_packets_are_v1s() -> None:
    assert _planned({"network": {"classID": 7}}) == [("net_cls.classid", "7")]


def test_a_file_outside_of_the_group_is_refused() -> None:
    with pytest.raises(OSError, match="not a control group file") as caught:
        _planned({"unified": {"../memory.max": "1"}})

    assert caught.value.errno == errno.EINVAL
