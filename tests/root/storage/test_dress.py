from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.errors import InvalidArgument
from wharf.storage.dress import dress_fd, dress_name
from wharf.storage.tar_entry import Entry, Kind

pytestmark = pytest.mark.root

_CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")  # cap_net_raw+ep, as setcap writes it


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def test_a_file_keeps_setuid_and_capabilities_through_the_change_of_owner(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    entry = Entry(b"file", Kind.FILE, mode=0o4755, uid=7, gid=8)
    entry.xattrs["security.capability"] = _CAPABILITY

    dress_fd(fd, entry)

    status = os.fstat(fd)
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o4755, 7, 8)
    assert os.getxattr(fd, "security.capability") == _CAPABILITY
    os.close(fd)


def test_a_link_is_dressed_and_not_what_it_leads_to(tmp_path: Path, folder: int) -> None:
    (tmp_path / "file").touch(mode=0o600)
    (tmp_path / "link").symlink_to("file")

    dress_name(Entry(b"link", Kind.SYMLINK, mode=0o777, uid=7, gid=8, mtime_ns=5_000_000_000), folder, b"link")

    link, file = os.lstat(tmp_path / "link"), os.stat(tmp_path / "file")
    assert (link.st_uid, link.st_gid, link.st_mtime) == (7, 8, 5)
    assert (file.st_uid, stat.S_IMODE(file.st_mode)) == (0, 0o600)


def test_a_user_attribute_of_a_link_is_left_out_as_docker_leaves_it(tmp_path: Path, folder: int) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    entry = Entry(b"link", Kind.SYMLINK)
    entry.xattrs["user.colour"] = b"red"

    dress_name(entry, folder, b"link")

    assert os.listxattr(tmp_path / "link", follow_symlinks=False) == []


@pytest.mark.parametrize("key", ["trusted.overlay.opaque", "user.overlay.opaque"])
def test_an_archive_may_not_speak_to_overlay_itself(tmp_path: Path, key: str) -> None:
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    entry = Entry(b"file", Kind.FILE)
    entry.xattrs[key] = b"y"

    with pytest.raises(InvalidArgument, match=key):
        dress_fd(fd, entry)

    os.close(fd)
