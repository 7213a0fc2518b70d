from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.fakes.systemd import FakeSystemd, serving

from wharf.shim.scope import Within

_REQUEST: Any = {"id": "c1", "scope": "wharf-test.slice:wharf:c1"}


class Group:
    """A control group that remembers what was done to it; ``fails``: when it is made."""

    def __init__(self, *, fails: bool = False) -> None:
        self.done: list[object] = []
        self.fails = fails

    def create(self) -> None:
        if self.fails:
            raise OSError(28, "no space")
        self.done.append("create")

    def apply(self, resources: object) -> None:
        self.done.append(resources)


def _document() -> Any:
    return {"linux": {"resources": {"pids": {"limit": 9}}}}


@pytest.fixture(autouse=True)
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    return tmp_path / "bus"


def test_a_scope_is_started_and_its_group_completed(bus: Path) -> None:
    systemd, group = FakeSystemd([]), Group()
    with serving(systemd, bus), Within(_REQUEST, _document, group):  # type: ignore[arg-type]  # a fake
        assert group.done == ["create", {"pids": {"limit": 9}}]

    assert [(name, told["Slice"], told["TasksMax"]) for name, told in systemd.units] == [
        ("wharf-c1.scope", "wharf-test.slice", 9)
    ]


def test_without_a_scope_nothing_is_different() -> None:
    group = Group()
    with Within({"id": "c1"}, _document, group):  # type: ignore[typeddict-item, arg-type]  # what is read of it
        pass

    assert group.done == []


@pytest.mark.parametrize(
    ("systemd", "fails"), [(FakeSystemd([], refuses="org.x.No"), False), (FakeSystemd([]), True)]
)
def test_what_fails_is_told_and_nobody_waits_on(bus: Path, systemd: FakeSystemd, fails: bool) -> None:
    group: Any = Group(fails=fails)
    with (
        serving(systemd, bus),
        pytest.raises(OSError, match=r"no such slice|no space"),
        Within(_REQUEST, _document, group),
    ):
        pass
