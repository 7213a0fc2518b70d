"""Root tests run in a network and a mount namespace of their own: docker0 in them is theirs, and goes with them."""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

import pytest
from tests.root import groups

import wharf

_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1


def _isolate() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    if libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None):
        raise OSError(ctypes.get_errno(), "mount --make-rprivate /")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    if not any(here in item.path.parents for item in items):
        return
    if os.geteuid() != 0:
        raise pytest.UsageError("tests/root need root: run them with sudo, or run only tests/unit")
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.root)
    if config.option.worlds == 1:
        _isolate()


def pytest_world_begins() -> None:
    _isolate()


def pytest_sessionfinish() -> None:
    groups.remove_parent()


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root that holds busybox and nothing else, to be copied (``cp -a``: it keeps hard links)."""
    root = tmp_path_factory.mktemp("stocked") / "root"

    async def stock() -> None:
        async with wharf.Engine(root) as engine:
            async for _ in engine.images.bootstrap("busybox", include=[], reference=None):
                pass

    asyncio.run(stock())
    return root
