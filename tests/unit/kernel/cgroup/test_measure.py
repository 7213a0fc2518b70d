from __future__ import annotations

from wharf.kernel.cgroup import measure

_V2 = {
    "cpu.stat": "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 4\nnr_throttled 1\nthrottled_usec 7\n",
    "memory.current": "4096\n",
    "memory.peak": "8192\n",
    "memory.max": "max\n",
    "memory.events": "low 0\nmax 3\noom 1\noom_kill 2\n",
    "memory.stat": "anon 10\nfile 20\n",
    "pids.current": "2\n",
    "pids.max": "10\n",
    "io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n",
    "cpu.pressure": "some avg10=0.50 avg60=0.00 avg300=0.00 total=12\n"
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
}


def test_times_of_v2_become_nanoseconds() -> None:
    found = measure.cpu_v2(_V2.get)

    assert (found["usage_ns"], found["user_ns"], found["throttled_periods"], found["throttled_ns"]) == (
        5000,
        3000,
        1,
        7000,
    )


def test_memory_of_v2_without_a_limit() -> None:
    assert measure.memory_v2(_V2.get) == {
        "usage_bytes": 4096,
        "max_usage_bytes": 8192,
        "limit_bytes": None,
        "fail_count": 3,
        "oom_kills": 2,
        "stat": {"anon": 10, "file": 20},
    }


def test_tasks_are_counted_alike_in_both_versions() -> None:
    assert measure.pids(_V2.get) == {"current": 2, "limit": 10}


def test_io_of_v2_is_told_in_dockers_words() -> None:
    found = measure.io_v2(_V2.get)

    assert [(one["op"], one["value"]) for one in found["service_bytes"]] == [("Read", 1), ("Write", 2)]
    assert [(one["op"], one["value"]) for one in found["serviced"]] == [("Read", 3), ("Write", 4)]


def test_pressure_is_told_where_the_kernel_does() -> None:
    assert measure.pressure(_V2.get) == {
        "cpu": {
            "some": {"avg10": 0.5, "avg60": 0.0, "avg300": 0.0, "total": 12},
            "full": {"avg10": 0.0, "avg60": 0.0, "avg300": 0.0, "total": 0},
        }
    }


def test_what_is_not_there_is_nothing() -> None:
    nothing = {}.get

    assert measure.pids(nothing) == {"current": 0, "limit": None}
    assert measure.pressure(nothing) == {}
