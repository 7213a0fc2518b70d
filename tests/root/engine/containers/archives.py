"""Archives to put into containers."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator


async def archive_of(name: str, content: bytes) -> AsyncIterator[bytes]:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    yield packed.getvalue()
