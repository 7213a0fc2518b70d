from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.fakes.systemd import FakeSystemd, serving

from wharf.kernel.dbus import CallFailed, Connection, bus_path

_SYSTEMD = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")


def test_calls_are_answered_and_signals_wait_for_who_wants_them(tmp_path: Path) -> None:
    systemd = FakeSystemd([])
    with serving(systemd, tmp_path / "bus"), Connection(str(tmp_path / "bus"), timeout_s=5) as bus:
        bus.join_bus()
        bus.want_signals(_SYSTEMD[2], "JobRemoved")
        body = ["a.scope", "replace", [("PIDs", ("au", [])), ("Slice", ("s", "a.slice"))], []]
        (job,) = bus.call(*_SYSTEMD, "StartTransientUnit", "ssa(sv)a(sa(sv))", body)

        assert bus.wait("JobRemoved")[2:] == ["other.scope", "failed"]
        assert bus.wait("JobRemoved") == [7, job, "a.scope", "done"]
    assert systemd.calls == ["Hello", "AddMatch", "StartTransientUnit"]


def test_a_refusal_has_its_name_and_text(tmp_path: Path) -> None:
    body = ["a.scope", "replace", [], []]
    refusal = pytest.raises(CallFailed, match=r"no such slice \(org\.x\.No\)")
    fake, path = FakeSystemd([], refuses="org.x.No"), tmp_path / "bus"
    with serving(fake, path), Connection(str(path), timeout_s=5) as bus, refusal:
        bus.call(*_SYSTEMD, "StartTransientUnit", "ssa(sv)a(sa(sv))", body)


def test_nobody_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Connection(str(tmp_path / "none"), timeout_s=5)


def test_addresses_of_the_environment_count() -> None:
    name = "DBUS_SYSTEM_BUS_ADDRESS" if os.geteuid() == 0 else "DBUS_SESSION_BUS_ADDRESS"

    assert bus_path({name: "tcp:host=a;unix:path=/x,guid=1"}) == "/x"
    assert bus_path({name: "unix:abstract=/y"}) == "\0/y"
