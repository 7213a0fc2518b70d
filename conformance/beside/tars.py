"""Archives that are sent."""

from __future__ import annotations

import io
import tarfile
from typing import Final

TAR: Final = {"Content-Type": "application/x-tar"}
"""The header of a request whose body is an archive."""


def tar_of(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    """Return an archive of files with an owner and a time of their own, and of symbolic links."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.uid, member.gid, member.mtime = len(content), 0o640, 7, 8, 1.5
            archive.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.uid = tarfile.SYMTYPE, target, 7
            archive.addfile(member)
    return made.getvalue()
