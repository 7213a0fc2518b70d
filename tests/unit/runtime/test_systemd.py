from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.systemd import FakeSystemd, serving

from wharf.errors import InvalidArgument, Unavailable
from wharf.runtime import systemd


@pytest.mark.parametrize(
    ("path", "name", "group"),
    [
        ("a-b.slice:docker:c1", "docker-c1.scope", "/a.slice/a-b.slice/docker-c1.scope"),
        (":wharf:c1", "wharf-c1.scope", "/system.slice/wharf-c1.scope"),
        ("-.slice::c1", "c1.scope", "/c1.scope"),
        ("", "wharf-id.scope", "/system.slice/wharf-id.scope"),
    ],
)
def test_a_path_of_three_parts_names_a_unit(path: str, name: str, group: str) -> None:
    unit = systemd.unit_of(path, "id")

    assert (unit.name, unit.path) == (name, group)


@pytest.mark.parametrize(
    "path", ["/a/b", "a.slice:b", "a.slice:b:", "a.slice:b:c/d", "a:b:c", "a--b.slice:x:y", ".slice:x:y"]
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(InvalidArgument):
        systemd.unit_of(path, "id")


def test_limits_that_systemd_knows_are_its_own() -> None:
    limits = {
        "memory": {"limit": 64, "reservation": -1},
        "cpu": {"shares": 1024, "quota": 5000, "period": 10000},
        "pids": {"limit": 9},
    }
    found = dict(systemd.properties(systemd.unit_of("", "id"), 7, limits))

    assert found == {
        "Description": ("s", "container wharf-id.scope"),
        "Slice": ("s", "system.slice"),
        "PIDs": ("au", [7]),
        "Delegate": ("b", True),
        "DefaultDependencies": ("b", False),
        **{f"{kind}Accounting": ("b", True) for kind in ("Memory", "CPU", "Tasks", "IO")},
        "MemoryMax": ("t", 64),
        "MemoryLow": ("t", (1 << 64) - 1),
        "CPUWeight": ("t", 100),
        "CPUQuotaPerSecUSec": ("t", 500000),
        "TasksMax": ("t", 9),
    }


def _start(path: Path) -> None:
    unit = systemd.unit_of("", "id")
    systemd.start(unit, systemd.properties(unit, 7, {}), str(path))


def test_a_scope_is_there_when_its_job_is_done(tmp_path: Path) -> None:
    fake = FakeSystemd([])
    with serving(fake, tmp_path / "bus"):
        _start(tmp_path / "bus")

    assert fake.calls == ["Hello", "AddMatch", "Subscribe", "StartTransientUnit"]
    assert [name for name, _ in fake.units] == ["wharf-id.scope"]


def test_a_scope_that_nobody_is_in_any_more_makes_place(tmp_path: Path) -> None:
    fake = FakeSystemd([], knows=True)
    with serving(fake, tmp_path / "bus"):
        _start(tmp_path / "bus")

    assert fake.calls[3:] == ["StartTransientUnit", "StopUnit", "ResetFailedUnit", "StartTransientUnit"]
    assert [name for name, _ in fake.units] == ["wharf-id.scope"]


def test_what_systemd_refuses_or_fails_is_told(tmp_path: Path) -> None:
    for fake, text in (
        (FakeSystemd([], refuses="org.x.No"), r"does not start wharf-id\.scope: no such slice \(org\.x\.No\)"),
        (FakeSystemd([], result="timeout"), "its job ended with 'timeout'"),
    ):
        with serving(fake, tmp_path / text[:4]), pytest.raises(Unavailable, match=text):
            _start(tmp_path / text[:4])


def test_without_systemd_the_socket_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=f"cannot be asked for wharf-id.scope by {tmp_path}/none: no such file"):
        _start(tmp_path / "none")
