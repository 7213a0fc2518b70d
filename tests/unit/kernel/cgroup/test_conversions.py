from __future__ import annotations

import errno

import pytest

from wharf.kernel.cgroup import v1, v2


def test_shares_and_weight_agree_on_both_ends_and_on_the_default() -> None:
    assert [v2.weight_of_shares(shares) for shares in (0, 2, 1024, 262144, 1 << 40)] == [1, 1, 100, 10000, 10000]


def test_v1_swap_counts_memory_and_swap_together() -> None:
    assert v1.memory({"limit": 100, "swap": 150, "reservation": 50}) == [
        ("memory.limit_in_bytes", "100"),
        ("memory.memsw.limit_in_bytes", "150"),
        ("memory.soft_limit_in_bytes", "50"),
    ]


def test_v1_lifting_the_memory_limit_lifts_that_of_swap_first() -> None:
    assert v1.memory({"limit": -1}) == [("memory.memsw.limit_in_bytes", "-1"), ("memory.limit_in_bytes", "-1")]


def test_v2_swap_is_what_is_left_of_both_together() -> None:
    assert v2.memory({"limit": 100, "swap": 150}) == [("memory.swap.max", "50"), ("memory.max", "100")]
    assert v2.memory({"limit": 100, "swap": 100}) == [("memory.swap.max", "0"), ("memory.max", "100")]
    assert v2.memory({"limit": 100, "swap": -1}) == [("memory.swap.max", "max"), ("memory.max", "100")]
    assert v2.memory({"limit": -1}) == [("memory.swap.max", "max"), ("memory.max", "max")]


@pytest.mark.parametrize("limit", [0, -1, 200])
def test_v2_swap_below_memory_or_without_its_limit_is_refused(limit: int) -> None:
    with pytest.raises(OSError, match="must be a limit above memory's") as caught:
        v2.memory({"limit": limit, "swap": 150})

    assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize(
    "memory", [{"swappiness": 10}, {"disableOOMKiller": True}, {"kernel": 4096}, {"kernelTCP": 4096}]
)
def test_v2_refuses_by_name_what_only_v1_can_do(memory: dict[str, int]) -> None:
    with pytest.raises(OSError, match="v2") as caught:
        v2.memory(memory)  # type: ignore[arg-type]

    assert caught.value.errno == errno.EOPNOTSUPP
    assert caught.value.filename.startswith("memory.")


def test_cpu_limits_are_written_period_before_quota_before_burst() -> None:
    assert v1.cpu({"quota": 5000, "period": 10000, "burst": 100, "shares": 512, "idle": 1}) == [
        ("cpu.shares", "512"),
        ("cpu.cfs_period_us", "10000"),
        ("cpu.cfs_quota_us", "5000"),
        ("cpu.cfs_burst_us", "100"),
        ("cpu.idle", "1"),
    ]


def test_v2_keeps_the_quota_when_only_the_period_changes() -> None:
    assert v2.cpu({"period": 10000}, quota="7000") == [("cpu.max", "7000 10000")]
    assert v2.cpu({"quota": 5000}) == [("cpu.max", "5000")]
    assert v2.cpu({"quota": -1, "period": 10000}) == [("cpu.max", "max 10000")]


def test_v2_refuses_realtime_limits() -> None:
    with pytest.raises(OSError, match="v2"):
        v2.cpu({"realtimeRuntime": 1})


def test_a_pids_limit_of_zero_is_a_limit() -> None:
    assert v1.pids({"limit": 0}) == [("pids.max", "0")]
    assert v2.pids({"limit": -1}) == [("pids.max", "max")]


def test_device_rules_keep_their_order_and_absent_numbers_match_all() -> None:
    rules = [
        {"allow": False, "access": "rwm"},
        {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rw"},
        {"allow": True, "type": "c", "major": 136, "minor": -1, "access": "rwm"},
        {"allow": True, "type": "b", "access": "m"},
    ]

    assert v1.devices(rules) == [  # type: ignore[arg-type]
        ("devices.deny", "a"),
        ("devices.allow", "c 1:3 rw"),
        ("devices.allow", "c 136:* rwm"),
        ("devices.allow", "b *:* m"),
    ]


def test_block_limits_name_the_device() -> None:
    block = {
        "weight": 500,
        "weightDevice": [{"major": 8, "minor": 0, "weight": 10}, {"major": 8, "minor": 2, "weight": 0}],
        "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1024}],
        "throttleWriteIOPSDevice": [{"major": 8, "minor": 1, "rate": 0}],
    }

    assert v1.blkio(block, bfq=True) == [  # type: ignore[arg-type]
        ("blkio.bfq.weight", "500"),
        ("blkio.bfq.weight_device", "8:0 10"),
        ("blkio.bfq.weight_device", "8:2 default"),
        ("blkio.throttle.read_bps_device", "8:0 1024"),
        ("blkio.throttle.write_iops_device", "8:1 0"),
    ]
    assert v2.io(block, bfq=False) == [  # type: ignore[arg-type]
        ("io.weight", "4950"),
        ("io.weight", "8:0 1"),
        ("io.weight", "8:2 default"),
        ("io.max", "8:0 rbps=1024"),
        ("io.max", "8:1 wiops=max"),
    ]


def test_a_unified_key_that_leaves_the_group_is_refused() -> None:
    with pytest.raises(OSError, match="not a control group file"):
        v2.unified({"../memory.max": "1"})


def test_rdma_pages_and_network_limits_have_one_line_each() -> None:
    assert v1.rdma({"mlx5_1": {"hcaHandles": 3, "hcaObjects": 1000}}) == [
        ("rdma.max", "mlx5_1 hca_handle=3 hca_object=1000")
    ]
    limits = [{"pageSize": "2MB", "limit": 9}]

    assert v1.hugetlb(limits, is_file=lambda _: False) == [("hugetlb.2MB.limit_in_bytes", "9")]
    assert v1.hugetlb(limits, is_file={"hugetlb.2MB.rsvd.max"}.__contains__, end="max") == [
        ("hugetlb.2MB.max", "9"),
        ("hugetlb.2MB.rsvd.max", "9"),
    ]
    with pytest.raises(OSError, match="not the size of a page"):
        v1.hugetlb([{"pageSize": "../2MB", "limit": 9}], is_file=lambda _: False)
    assert v1.net_cls({"classID": 1048577}) == [("net_cls.classid", "1048577")]
    assert v1.net_prio({"priorities": [{"name": "eth0", "priority": 2}]}) == [("net_prio.ifpriomap", "eth0 2")]
