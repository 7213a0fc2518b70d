from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from wharf.images.images import Images
from wharf.storage.content import ContentStore
from wharf.storage.layout import DataRoot
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots
from wharf.storage.snapshotter import Roots


class Store:
    """A data root with its images, and what lies in it."""

    def __init__(self, path: Path, roots: Roots | None = None) -> None:
        self.data = DataRoot(path)
        path.mkdir(mode=0o711, exist_ok=True)
        self.database = Database(self.data.database)
        self.content = ContentStore(self.data)
        self.snapshots = Snapshots(self.data, self.database, roots)
        self.images = self._images()

    def _images(self) -> Images:
        return Images(self.data, self.database, self.content, self.snapshots, lambda: 1_700_000_000 * 10**9)

    async def reopen(self) -> None:
        """Close the images, and read them again as the next process does."""
        await self.images.aclose()
        self.images = self._images()
        await self.images.start()

    async def aclose(self) -> None:
        await self.images.aclose()
        self.database.close()

    def leftovers(self) -> list[str]:
        """Everything that is not the empty store's own."""
        top = self.data.path
        own = {"containers", "snapshots", "ingest", "content", "content/blobs", "content/blobs/sha256"}
        own |= {"content/ingest", "content/oci-layout", "content/index.json"}
        names = {str(p.relative_to(top)) for p in top.rglob("*") if not p.name.startswith("wharf.db")}
        return sorted(names - own)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "root")
    yield store
    asyncio.run(store.aclose())


def tar(**files: bytes) -> bytes:
    """Return an archive of these files, "__" for "/" in their names."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name.replace("__", "/"))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


async def chunks(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def loaded(store: Store, data: bytes) -> list[object]:
    return [item["stream"] async for item in store.images.load(chunks(data))]


async def imported(store: Store, data: bytes, repository: str | None = None, **options: object) -> str:
    items = [i async for i in store.images.import_(chunks(data), repository=repository, **options)]  # type: ignore[arg-type]
    return str(items[-1]["status"])


async def saved(store: Store, *names: str) -> bytes:
    return b"".join([data async for data in store.images.save(names)])
