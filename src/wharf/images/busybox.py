"""A base image of one program: Debian's static busybox with a link for each applet, and a few files.

The same busybox gives the same image.
"""

from __future__ import annotations

import io
import os
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from wharf.errors import NotFound, NotImplementedHere
from wharf.images.record import host_architecture
from wharf.kernel.process import run
from wharf.lib.digest import Digest
from wharf.spec.oci_image import ImageConfig
from wharf.storage.tar_entry import Entry, Kind
from wharf.storage.tar_writer import TarWriter

PROGRAM: Final = Path("/bin/busybox")
_PACKAGE: Final = "install Debian's package busybox-static (apt-get install busybox-static)"
_PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PT_INTERP: Final = 3
_FOLDERS: Final = (
    ("bin", 0o755),
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("proc", 0o755),
    ("root", 0o700),
    ("sys", 0o755),
    ("tmp", 0o1777),
    ("usr", 0o755),
    ("usr/bin", 0o755),
    ("usr/sbin", 0o755),
    ("var", 0o755),
    ("var/tmp", 0o1777),
)
_FILES: Final = (
    (
        "etc/passwd",
        0o644,
        (
            "root:x:0:0:root:/root:/bin/sh\n"
            "daemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
            "nobody:x:65534:65534:nobody:/home:/bin/false\n"
        ),
    ),
    ("etc/group", 0o644, "root:x:0:\ndaemon:x:1:\ntty:x:5:\nnogroup:x:65534:\n"),
    ("etc/shadow", 0o600, "root:*:::::::\ndaemon:*:::::::\nnobody:*:::::::\n"),
)


def layer(program: Path = PROGRAM) -> bytes:
    """Return the image's only layer, an archive; blocking.

    Raises:
        NotFound: busybox is not installed; the message names the package.
        NotImplementedHere: it is installed, and needs libraries.
    """
    try:
        content = program.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"{program} does not exist: {_PACKAGE}") from None
    if not is_static(content):
        raise NotImplementedHere(f"{program} needs shared libraries: {_PACKAGE}")
    listed = run([os.fspath(program), "--list"], timeout_s=30)
    applets = sorted({name for name in listed.stdout.decode().split() if "/" not in name} - {"busybox"})
    return _archive(content, applets)


def _archive(program: bytes, applets: list[str]) -> bytes:
    buffer = io.BytesIO()
    writer = TarWriter(buffer)
    for name, mode in _FOLDERS:
        writer.add(Entry(f"{name}/".encode(), Kind.FOLDER, mode=mode))
    writer.add(Entry(b"bin/busybox", Kind.FILE, mode=0o755, size=len(program)), [program])
    for name in applets:
        writer.add(Entry(f"bin/{name}".encode(), Kind.HARDLINK, mode=0o755, target=b"bin/busybox"))
    writer.add(Entry(b"usr/bin/env", Kind.HARDLINK, mode=0o755, target=b"bin/busybox"))
    for name, mode, text in _FILES:
        writer.add(Entry(name.encode(), Kind.FILE, mode=mode, size=len(text)), [text.encode()])
    writer.close()
    return buffer.getvalue()


def is_static(program: bytes) -> bool:
    """Return whether a 64-bit ELF program names no interpreter (elf(5), PT_INTERP)."""
    if program[:5] != b"\x7fELF\x02":
        return False
    offset, size, count = struct.unpack_from("<Q", program, 32)[0], *struct.unpack_from("<HH", program, 54)
    if offset + size * count > len(program):
        return False
    return all(struct.unpack_from("<I", program, offset + size * i)[0] != _PT_INTERP for i in range(count))


def configuration(diff_id: Digest, program: Path = PROGRAM) -> ImageConfig:
    """Return the image's configuration; its time is the program's."""
    created = datetime.fromtimestamp(int(program.stat().st_mtime), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "created": created,
        "architecture": host_architecture(),
        "os": "linux",
        "config": {"Env": [_PATH], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": created, "created_by": "wharf image bootstrap busybox", "comment": "busybox-static"}],
    }
