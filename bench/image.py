"""The image every side runs: the machine's static busybox, as a root file system and as an archive of it."""

from __future__ import annotations

import shutil
import tarfile
from io import BytesIO
from pathlib import Path

NAME = "bench-busybox"
_BUSYBOX = Path("/bin/busybox")
_FOLDERS = ("dev", "etc", "proc", "root", "sys", "tmp", "usr", "var", "run")
_APPLETS = ("sh", "true", "sleep", "echo", "cat", "ls")


def make_rootfs(folder: Path) -> None:
    """Make the root file system anew in ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "bin").mkdir(parents=True)
    for name in _FOLDERS:
        (folder / name).mkdir()
    shutil.copy2(_BUSYBOX.resolve(), folder / "bin/busybox")
    for applet in _APPLETS:
        (folder / "bin" / applet).symlink_to("busybox")


def archive(rootfs: Path) -> bytes:
    """Return the root file system as a tar archive, for ``docker import``."""
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(rootfs, arcname=".")
    return out.getvalue()
