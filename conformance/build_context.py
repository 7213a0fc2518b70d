"""The contexts of the Dockerfiles in ``dockerfiles``: every kind of file there can be, the same each time."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

_WHEN: Final = 1_000_000_000
_PACKERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "packed.tar": bytes,
    "packed.tar.gz": lambda data: gzip.compress(data, mtime=0),
    "packed.tar.bz2": bz2.compress,
    "packed.tar.xz": lzma.compress,
}
_IGNORE: Final = """\
# a comment
*.log
!kept.log
**/deep.txt
folder/*/x
docs
!docs/readme
  spaced
/rooted
a?c
"""
_IGNORED: Final = (
    "one.log", "kept.log", "sub/two.log", "deep.txt", "folder/sub/deep.txt", "folder/sub/x", "folder/x", "docs/other",
    "docs/readme", "docs/more/readme", "spaced", "rooted", "sub/rooted", "abc", "sub/abc", "plain",
)  # fmt: skip


def write_tree(folder: Path) -> None:
    """Write the context that most of the Dockerfiles have."""
    texts = {
        "a": "a\n", "b1": "b1\n", "b2": "", "c": "c\n", "folder/one.txt": "1\n", "folder/two.txt": "2\n",
        "folder/.hidden": "h\n", "folder/sub/three": "3\n", "with space/s p": "s\n", "program": "#!/bin/sh\n",
        "names/ünï": "u\n", "names/" + "n" * 120: "n\n",
    }  # fmt: skip
    for name, text in texts.items():
        _write(folder / name, text)
    (folder / "folder/empty").mkdir()
    for name, mode in {"program": 0o755, "c": 0o600, "folder/two.txt": 0o444, "folder/empty": 0o711}.items():
        (folder / name).chmod(mode)
    for name, target in {
        "link-to-a": "a",
        "link-to-folder": "folder",
        "folder/up": "../a",
        "folder/gone": "no",
    }.items():
        (folder / name).symlink_to(target)
    for name, pack in _PACKERS.items():
        (folder / name).write_bytes(pack(_archive()))
    (folder / "letters.gz").write_bytes(gzip.compress(b"no archive\n", mtime=0))
    for path in sorted(folder.rglob("*")):
        os.utime(path, (_WHEN, _WHEN), follow_symlinks=False)


def write_ignoring(folder: Path) -> None:
    """Write a context with a ``.dockerignore``."""
    for name in _IGNORED:
        _write(folder / name, f"{name}\n")
    _write(folder / ".dockerignore", _IGNORE)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _archive() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, form, mode, owner, link in (
            ("p", tarfile.DIRTYPE, 0o750, (31, 32), ""),
            ("p/file", tarfile.REGTYPE, 0o4751, (33, 34), ""),
            ("p/hard", tarfile.LNKTYPE, 0o4751, (33, 34), "p/file"),
            ("p/soft", tarfile.SYMTYPE, 0o777, (35, 36), "file"),
            ("implied/parent", tarfile.REGTYPE, 0o600, (0, 0), ""),
            ("f", tarfile.REGTYPE, 0o644, (37, 38), ""),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.linkname, entry.mtime = form, mode, link, _WHEN
            entry.uid, entry.gid = owner
            content = b"packed\n" if form == tarfile.REGTYPE else b""
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()
