"""What has its name before it is known to be on the disk; see docs/decisions/durability.md.

::

    noted (durable) ─▶ written, named ─▶ recorded ═ answered ═▶ syncfs, a moment later ─▶ note removed

A process that is killed leaves all of it in the kernel's memory, so nothing is in doubt while the same kernel runs.
What an earlier one has noted may be damaged, for the machine stopped before the sync: it is looked at when an engine
starts (:mod:`wharf.images.recovery`).
"""

from __future__ import annotations

import logging
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from wharf.kernel.boot import boot_id
from wharf.lib.digest import Digest
from wharf.storage.metadata import Database, Value

BLOB: Final = "blob"
LAYER: Final = "layer"
_PAUSE_S: Final = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that may not be on the disk."""

    kind: str  # BLOB or LAYER
    digest: Digest
    boot_id: str


@dataclass(frozen=True, slots=True)
class Suspects:
    """What the machine may have lost."""

    blobs: frozenset[Digest] = frozenset()
    layers: frozenset[Digest] = frozenset()  # by chain id


def suspects(notes: Iterable[Note], now: str) -> Suspects:
    """Return what another run of the kernel than ``now`` has noted. Pure."""
    lost = [note for note in notes if note.boot_id != now]
    return Suspects(
        frozenset(note.digest for note in lost if note.kind == BLOB),
        frozenset(note.digest for note in lost if note.kind == LAYER),
    )


class Unsettled:
    """The notes of one data root; from any thread."""

    def __init__(self, database: Database, boot: Callable[[], str] = boot_id) -> None:
        """Nothing is written; ``boot`` returns this run of the kernel's id."""
        self._database = database
        self._boot = boot
        self._expected: list[int] = []  # the first of the notes of what is still coming
        self._lock = threading.Lock()
        self.noted: Callable[[], None] = lambda: None
        """Called with each note, which may still be taken back with its transaction."""

    def note(self, db: sqlite3.Connection, kind: str, digests: Iterable[Digest]) -> None:
        """Note what has been written, inside the caller's transaction: the one that lets others find it."""
        boot = self._boot()
        rows = [(kind, digest, boot) for digest in digests]
        db.executemany("INSERT INTO unsettled (kind, digest, boot_id) VALUES (?, ?, ?)", rows)
        self.noted()

    def note_blobs(self, digests: Iterable[Digest]) -> None:
        """Note blobs that have been written, before they get the names by which they are found; blocking."""
        named = list(digests)
        if named:
            with self._database.transaction() as db:
                self.note(db, BLOB, named)
            self._database.make_durable()

    def expect(self, digests: Iterable[Digest]) -> Callable[[], None]:
        """Note blobs that are about to be written, all of them at once; blocking.

        Returns what lets a sync take the notes away, once they have been written or never will be.
        """
        with self._lock:
            newest = self._database.query("SELECT max(id) FROM unsettled")[0][0]
            first = int(newest or 0) + 1
            self._expected.append(first)

        def written() -> None:
            with self._lock:
                self._expected.remove(first)
            self.noted()

        try:
            self.note_blobs(digests)
        except BaseException:
            written()
            raise
        return written

    def suspects(self) -> Suspects:
        """Return what may have been lost when the machine stopped."""
        rows = self._database.query("SELECT kind, digest, boot_id FROM unsettled")
        return suspects(
            (Note(str(kind), Digest(str(digest)), str(boot)) for kind, digest, boot in rows), self._boot()
        )

    def trust(self, but: Iterable[Digest] = ()) -> None:
        """Remove the notes of other runs of the kernel: what they were about has been looked at, ``but`` layers."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM unsettled WHERE boot_id <> ?", (self._boot(),))
            db.executemany(
                "INSERT INTO unsettled (kind, digest, boot_id) VALUES (?, ?, '')", [(LAYER, layer) for layer in but]
            )

    def is_pending(self) -> bool:
        """Return whether there is something to settle."""
        return self._last() is not None

    def _last(self) -> Value:
        with self._lock:
            before = min(self._expected, default=sys.maxsize)
        newest = "SELECT max(id) FROM unsettled WHERE boot_id = ? AND id < ?"
        return self._database.query(newest, (self._boot(), before))[0][0]

    def settle(self, sync: Callable[[], None]) -> None:
        """Remove the notes of what ``sync`` brings to the disk; when that fails, a start looks at all of it."""
        last = self._last()
        if last is None:
            return
        try:
            sync()
        except OSError:
            _log.exception("images could not be brought to the disk; the next start verifies them")
            change = "UPDATE unsettled SET boot_id = ''"
        else:
            change = "DELETE FROM unsettled"
        with self._database.transaction() as db:
            db.execute(f"{change} WHERE id <= ? AND boot_id = ?", (last, self._boot()))


class Settler:
    """Brings what is noted to the disk on a thread of its own, out of everybody's way; from any thread."""

    def __init__(self, unsettled: Unsettled, sync: Callable[[], None], pause_s: float = _PAUSE_S) -> None:
        """Begin with what earlier processes have left.

        Args:
            unsettled: the notes.
            sync: brings to the disk what has been written before it is called.
            pause_s: what is noted within that time is brought there together.
        """
        self._unsettled = unsettled
        self._sync = sync
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._more = False
        self._closing = threading.Event()
        unsettled.noted = self._begin
        if unsettled.is_pending():
            self._begin()

    def close(self) -> None:
        """Bring there what is left, and return when it is; idempotent."""
        self._closing.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _begin(self) -> None:
        with self._lock:
            if self._closing.is_set() and self._thread is None:
                return  # nobody would wait for it: what is noted stays so
            self._more = True
            if self._thread is None:
                # One that dies with the interpreter: what it has not done then is noted.
                thread = threading.Thread(target=self._run, name="wharf-settle", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # there are too many: what is noted stays so, until the next note
                    _log.warning("images are not brought to the disk yet: %s", error)
                else:
                    self._thread = thread

    def _run(self) -> None:
        while self._is_asked():
            self._closing.wait(self._pause_s)
            try:
                self._unsettled.settle(self._sync)
            except sqlite3.Error:  # a full disk, say: what is noted stays so
                _log.exception("it could not be noted that images are on the disk")

    def _is_asked(self) -> bool:
        with self._lock:
            asked, self._more = self._more, False
            if not asked:
                self._thread = None
            return asked
