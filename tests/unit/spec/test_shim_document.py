from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wharf.spec import shim_document

Open = Callable[[bytes], int]


@pytest.fixture
def opened(tmp_path: Path) -> Any:
    fds: list[int] = []

    def open_(data: bytes) -> int:
        (tmp_path / "document").write_bytes(data)
        fds.append(os.open(tmp_path / "document", os.O_RDONLY))
        return fds[-1]

    yield open_
    for fd in fds:
        os.close(fd)


def test_the_filter_is_put_back_in_its_place(opened: Open) -> None:
    fd = opened(shim_document.lines(b'{"linux":{"namespaces":[]}}', b'{"defaultAction":"SCMP_ACT_ALLOW"}'))

    whole = {"linux": {"namespaces": [], "seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}}}
    assert shim_document.read(fd) == whole
    assert shim_document.read(fd) == whole, "it can be read again"


def test_a_filter_that_is_known_is_not_read(opened: Open) -> None:
    fd = opened(shim_document.lines(b'{"linux":{}}', b"not even JSON"))

    assert shim_document.read(fd, {"defaultAction": "SCMP_ACT_LOG", "syscalls": []}) == {
        "linux": {"seccomp": {"defaultAction": "SCMP_ACT_LOG", "syscalls": []}}
    }


def test_a_document_without_a_filter_has_none_whatever_is_known(opened: Open) -> None:
    fd = opened(shim_document.lines(b'{"linux":{}}', b""))

    assert shim_document.read(fd, {"defaultAction": "SCMP_ACT_LOG", "syscalls": []}) == {"linux": {}}
