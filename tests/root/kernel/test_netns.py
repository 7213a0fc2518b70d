from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from wharf.kernel import netns
from wharf.kernel.netlink import Rtnetlink

pytestmark = pytest.mark.root


def _own() -> str:
    return os.readlink("/proc/thread-self/ns/net")


def test_namespace_whose_making_fails_leaves_no_file(tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        netns.make(str(tmp_path / "ns"), fail)

    assert list(tmp_path.iterdir()) == []


def test_name_in_use_is_refused_and_what_bears_it_stays(tmp_path: Path) -> None:
    path = str(tmp_path / "ns")
    first = netns.make(path, _own)
    with pytest.raises(OSError, match="File exists") as caught:
        netns.make(path, _own)

    assert caught.value.errno == errno.EEXIST
    assert netns.within(path, _own) == first
    netns.remove(path)


def test_own_thread_stays_where_it_is(tmp_path: Path) -> None:
    before, path = _own(), str(tmp_path / "ns")
    made = netns.make(path, _own)

    assert made != before == _own()
    netns.remove(path)


def test_socket_opened_inside_belongs_there(tmp_path: Path) -> None:
    path = str(tmp_path / "ns")
    with netns.make(path, Rtnetlink) as inside:
        assert "lo" in [link.name for link in inside.links()]
        assert not inside.addresses()
    netns.remove(path)


def test_removal_is_idempotent_and_takes_a_bare_file_too(tmp_path: Path) -> None:
    path = tmp_path / "ns"
    path.touch()
    netns.remove(str(path))
    netns.remove(str(path))

    assert not path.exists()


def test_namespace_without_a_name_goes_with_its_last_descriptor_unless_it_is_bound(tmp_path: Path) -> None:
    path = str(tmp_path / "ns")
    fd = netns.unnamed(lambda: netns.open_namespace("/proc/thread-self/ns/net"))
    try:
        identity = os.fstat(fd).st_ino
        netns.bind(path, fd)
        with pytest.raises(FileExistsError):
            netns.bind(path, fd)
        assert os.stat(path).st_ino == identity
    finally:
        os.close(fd)
    try:
        assert netns.within(path, lambda: os.stat("/proc/thread-self/ns/net").st_ino) == identity
    finally:
        netns.remove(path)
    assert not os.path.exists(path)


def test_what_is_no_namespace_is_not_bound(tmp_path: Path) -> None:
    path = str(tmp_path / "ns")
    with pytest.raises(OSError, match=r"\d"):
        netns.bind(path, 10**6)

    assert not os.path.exists(path)
