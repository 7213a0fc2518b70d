from __future__ import annotations

import pytest

from wharf.engine.containers import limits
from wharf.engine.ocispec.inputs import ALL_CONTROLLERS
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import HostConfig

_ASKED: HostConfig = {"Memory": 64 << 20, "MemorySwap": -1, "PidsLimit": 10, "CpusetCpus": "0", "ShmSize": 1}


def test_with_all_controllers_nothing_changes() -> None:
    assert limits.possible(_ASKED, ALL_CONTROLLERS) == (_ASKED, [])


def test_what_cannot_be_limited_is_dropped_with_dockers_warnings() -> None:
    kept, warnings = limits.possible(_ASKED, frozenset({"pids"}))

    assert kept == {"Memory": 0, "MemorySwap": -1, "PidsLimit": 10, "CpusetCpus": "", "ShmSize": 1}
    assert warnings == [
        "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.",
        "Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.",
    ]


@pytest.mark.parametrize("field", ["KernelMemory", "KernelMemoryTCP"])
def test_limits_of_the_kernels_memory_are_no_more(field: str) -> None:
    kept, warnings = limits.possible({field: 1 << 30, "Memory": 1 << 26}, ALL_CONTROLLERS)  # type: ignore[misc]

    assert kept == {"Memory": 1 << 26}
    assert [warning.startswith("Your kernel does not support kernel memory") for warning in warnings] == [True]


def test_what_is_not_asked_for_is_not_warned_of() -> None:
    unset: HostConfig = {"Memory": 0, "PidsLimit": -1, "MemorySwappiness": -1, "BlkioWeightDevice": []}

    assert limits.possible(unset, frozenset()) == (unset, [])


def test_cpus_are_refused_without_the_controller_as_docker_does() -> None:
    with pytest.raises(InvalidArgument, match="NanoCPUs can not be set"):
        limits.possible({"NanoCpus": 500_000_000}, frozenset())


def test_what_version_2_of_control_groups_has_not_is_dropped_with_a_warning() -> None:
    host: HostConfig = {"Memory": 1 << 26, "MemorySwappiness": 10, "OomKillDisable": True, "CpuRealtimePeriod": 5}
    every = frozenset({"memory", "cpu"})
    kept, warnings = limits.possible(host, every, unified=True)

    assert limits.possible(host, every) == (host, [])
    assert kept == {"Memory": 1 << 26, "MemorySwappiness": -1, "OomKillDisable": False, "CpuRealtimePeriod": 0}
    assert [warning.rpartition(". ")[2] for warning in warnings] == [
        "Memory swappiness discarded.",
        "OomKillDisable discarded.",
        "Limitation discarded.",
    ]


def test_what_comes_of_a_request_is_told() -> None:
    told = limits.remarks({"OomKillDisable": True, "NetworkMode": "host", "PortBindings": {"80/tcp": [{}]}})

    assert [text.split(" ")[0] for text in told] == ["OOM", "Published"]
    assert limits.remarks({"OomKillDisable": True, "Memory": 1 << 26, "NetworkMode": "host"}) == []
