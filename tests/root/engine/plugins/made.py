"""Plugins of our own making, as archives: ``keeper.py`` in a root that has only what it mounts of the host's."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

_KEEPER = Path(__file__).with_name("keeper.py")
_HOST = ("/usr", "/lib", "/lib64", str(Path(sys.base_prefix)))


def config(**more: object) -> dict[str, Any]:
    mounts = [
        {"name": f"host{number}", "source": path, "destination": path, "type": "bind", "options": ["rbind", "ro"]}
        for number, path in enumerate(sorted(set(_HOST)))
        if Path(path).exists()
    ]
    return {
        "description": "keeps volumes in memory",
        "entrypoint": [os.path.realpath(sys.executable), "-I", "-S", "/keeper.py"],
        "interface": {"types": ["docker.volumedriver/1.0"], "socket": "keeper.sock"},
        "linux": {"capabilities": ["CAP_SYS_ADMIN"]},
        "propagatedmount": "/data",
        "env": [{"name": "DEBUG", "settable": ["value"], "value": "0"}],
        "args": {"name": "args", "settable": ["value"], "value": []},
        "mounts": mounts,
        **more,
    }


def archive(document: object = None, *, rootfs: bool = True) -> bytes:
    """Return what docker plugin create sends."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        if document is not False:
            raw = json.dumps(config() if document is None else document).encode()
            _file(tar, "config.json", raw)
        if rootfs:
            for name in ("rootfs", "rootfs/run", "rootfs/run/docker", "rootfs/run/docker/plugins", "rootfs/data"):
                entry = tarfile.TarInfo(name)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            _file(tar, "rootfs/keeper.py", _KEEPER.read_bytes())
    return made.getvalue()


def _file(tar: tarfile.TarFile, name: str, raw: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(raw), 0o644
    tar.addfile(entry, io.BytesIO(raw))


async def chunks(raw: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(raw), 1000):
        yield raw[start : start + 1000]


def running(root: Path) -> list[int]:
    """Return the processes of this root's plugins."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{root}/plugins/" in (folder / "mountinfo").read_text().partition("\n")[0]:
                found.append(int(folder.name))
        except (FileNotFoundError, ProcessLookupError, PermissionError, OSError):
            continue
    return found
