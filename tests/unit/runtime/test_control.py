from __future__ import annotations

from typing import Any

from wharf.runtime import control


def test_new_limits_lie_over_the_old_ones_field_by_field() -> None:
    spec: Any = {"linux": {"resources": {"memory": {"limit": 1, "swap": 2}, "pids": {"limit": 3}}, "devices": []}}

    merged = control.merged(spec, {"memory": {"limit": 5}, "cpu": {"shares": 7}})

    assert merged == {
        "linux": {
            "resources": {"memory": {"limit": 5, "swap": 2}, "pids": {"limit": 3}, "cpu": {"shares": 7}},
            "devices": [],
        }
    }


def test_measurements_are_spelt_as_runc_spells_them() -> None:
    use: Any = {
        "cpu": {
            "usage_ns": 1, "user_ns": 2, "system_ns": 3, "percpu_ns": [4],
            "periods": 5, "throttled_periods": 6, "throttled_ns": 7,
        },
        "memory": {
            "usage_bytes": 8, "max_usage_bytes": 9, "limit_bytes": None, "fail_count": 1, "oom_kills": 0,
            "stat": {"cache": 2},
        },
        "pids": {"current": 3, "limit": None},
        "blkio": {"service_bytes": [], "serviced": []},
        "pressure": {"cpu": {"some": {"avg10": 0.5, "avg60": 0.0, "avg300": 0.0, "total": 7}}},
    }  # fmt: skip

    swap: Any = {"usage": 11, "max": 12, "limit": None, "fail_count": 13}
    pages: Any = {"usage": 14, "max": 15, "limit": 16, "fail_count": 17}
    more: Any = {
        "user_percpu_ns": [5], "system_percpu_ns": [6], "cpuset": {"cpus": [0], "mems": [0], "cpu_exclusive": 1},
        "swap": swap, "kernel": swap, "kernel_tcp": swap, "hugetlb": {"2MB": pages},
    }  # fmt: skip

    stats = control.stats(use, more)

    assert stats["cpu"]["usage"] == {
        "total": 1, "percpu": [4], "percpu_kernel": [6], "percpu_user": [5], "kernel": 3, "user": 2,
    }  # fmt: skip
    assert stats["cpuset"] == {"cpus": [0], "mems": [0], "cpu_exclusive": 1}
    assert stats["memory"]["swap"] == {"limit": 2**64 - 1, "usage": 11, "max": 12, "failcnt": 13}
    assert stats["hugetlb"] == {"2MB": {"usage": 14, "max": 15, "failcnt": 17}}
    assert stats["memory"]["usage"] == {"limit": 2**64 - 1, "usage": 8, "max": 9, "failcnt": 1}
    assert stats["pids"] == {"current": 3, "limit": 0}
    assert stats["cpu"]["psi"]["some"]["total"] == 7
