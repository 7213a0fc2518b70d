"""Bring what has been written to the disk while more is still coming, so that the last sync has little left to do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class EarlySync:
    """Syncs on a thread of its own, one at a time; from any thread."""

    def __init__(self, sync: Callable[[], None]) -> None:
        """Begin with nothing under way; ``sync`` brings to the disk what has been written before it is called."""
        self._sync = sync
        self._thread = ThreadPoolExecutor(1, "wharf-sync")
        self._lock = threading.Lock()
        self._under_way: Future[None] | None = None

    def begin(self) -> None:
        """Begin a sync, unless one is under way: what that leaves is for the next one, or the last."""
        with self._lock:
            if self._under_way is None or (self._under_way.done() and self._under_way.exception() is None):
                self._under_way = self._thread.submit(self._sync)

    def finish(self) -> None:
        """Bring the rest to the disk; blocking.

        Raises:
            OSError: something could not be written, now or before. The kernel tells that once, so it is kept.
        """
        if self._under_way is not None:
            self._under_way.result()
        self._sync()

    def close(self) -> None:
        """Wait for what is under way; idempotent."""
        self._thread.shutdown()
