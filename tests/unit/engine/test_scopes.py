from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.systemd import FakeSystemd, serving

from wharf.engine import scopes
from wharf.errors import InvalidArgument, NotImplementedHere, Unavailable


def test_a_container_is_in_the_slice_of_its_engine_or_of_its_parent() -> None:
    own, given = scopes.scope_of("", "ab12", "c1"), scopes.scope_of("a-b.slice", "ab12", "c1")

    assert (own, given) == ("wharf-ab12.slice:wharf:c1", "a-b.slice:wharf:c1")
    assert scopes.path_of(own) == "/wharf.slice/wharf-ab12.slice/wharf-c1.scope"
    assert scopes.slices_of("ab12") == ["/wharf.slice", "/wharf.slice/wharf-ab12.slice"]


def test_a_parent_that_is_no_slice_is_refused_in_dockers_words() -> None:
    scopes.check_parent("system.slice")
    with pytest.raises(InvalidArgument, match=r'should be a valid slice named as "xxx\.slice"'):
        scopes.check_parent("/docker")


def test_a_systemd_that_is_not_there_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/bus")

    with pytest.raises(NotImplementedHere, match=f"not available: {tmp_path}/bus does not answer: no such file"):
        scopes.require_systemd()
    with pytest.raises(Unavailable, match=r"does not change the limits of wharf-c\.scope"):
        scopes.tell("a.slice:wharf:c", {})
    with serving(FakeSystemd([]), tmp_path / "bus"):
        scopes.require_systemd()
        with pytest.raises(NotImplementedHere, match="a plain user's engine"):
            scopes.require_systemd(rootless=True)


def test_changed_limits_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    fake = FakeSystemd([])
    with serving(fake, tmp_path / "bus"):
        scopes.tell("a.slice:wharf:c", {"pids": {"limit": 9}})

    assert fake.units == [("wharf-c.scope", {"TasksMax": 9})]
