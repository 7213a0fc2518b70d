"""Where pulled images are put, and what the pulls of one engine share. Apart from them: they load a client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from wharf.images.bridge import Blocking
from wharf.images.catalog import Catalog
from wharf.lib.digest import Digest
from wharf.storage.content import ContentStore
from wharf.storage.snapshots import Snapshots
from wharf.storage.unpacking.workers import Workers


@dataclass(slots=True)
class Locks:
    """One at a time for each digest: what two pulls want is fetched once."""

    known: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    def of(self, digest: str) -> asyncio.Lock:
        """Return the lock of a digest; it lasts while somebody has it."""
        lock = self.known.get(digest)
        if lock is None:
            lock = self.known[digest] = asyncio.Lock()
        return lock


@dataclass(frozen=True, slots=True)
class Store:
    """Where images are put, and what pulls of one engine share."""

    catalog: Catalog
    content: ContentStore
    snapshots: Snapshots
    blocking: Blocking
    now: Callable[[], str]
    workers: Workers = field(default_factory=Workers)
    locks: Locks = field(default_factory=Locks)
    under_way: set[Digest] = field(default_factory=set)  # the targets of pulls at work
