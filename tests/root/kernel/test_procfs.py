"""Parameters of a network namespace, through a procfs instance of one's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.kernel import mount, netns, procfs, sysctl

pytestmark = pytest.mark.root

_NAME = "net/ipv4/conf/lo/arp_notify"


def _set() -> str:
    with procfs.proc_sys() as folder:
        sysctl.write(folder, _NAME, "1")
    return Path("/proc/sys", _NAME).read_text().strip()


def test_parameter_is_set_in_the_namespace_of_the_thread_and_in_no_other(tmp_path: Path) -> None:
    before = Path("/proc/sys", _NAME).read_text()
    try:
        assert netns.make(str(tmp_path / "ns"), _set) == "1"
    finally:
        netns.remove(str(tmp_path / "ns"))
    assert Path("/proc/sys", _NAME).read_text() == before


def test_instance_is_not_the_usual_one_and_leaves_no_mount() -> None:
    mounts = Path("/proc/self/mounts").read_text()
    with procfs.proc_sys() as folder:
        assert os.fstat(folder).st_dev != os.stat("/proc/sys").st_dev

    assert Path("/proc/self/mounts").read_text() == mounts


def test_usual_one_serves_where_no_instance_may_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(mount, "create", refuse)
    with procfs.proc_sys() as folder:
        assert os.fstat(folder).st_dev == os.stat("/proc/sys").st_dev
