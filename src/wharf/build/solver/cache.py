"""Results of earlier builds by their keys: rows in the database, layers in the store."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from wharf.build.operations.store import Recorder
from wharf.build.solver.turns import Turns
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class Record:
    """One result, with all of its keys."""

    chain_id: str
    created_ns: int
    used_ns: int
    uses: int
    description: str
    size_bytes: int
    parent: str
    in_use: bool


class Cache:
    """The results of one data root. Everything blocks, for microseconds."""

    def __init__(self, database: Database, snapshots: Snapshots, time_ns: Callable[[], int] = time.time_ns) -> None:
        self._database = database
        self._snapshots = snapshots
        self._time_ns = time_ns
        self._held: Counter[str] = Counter()
        self.turns = Turns()
        self.changes = 0
        """How often results were entered or forgotten: what is said of them stays true while this is the same."""

    def peek(self, key: str) -> str | None:
        """Return the layers of a key; None when there are none."""
        rows = self._database.query("SELECT chain_id FROM build_cache WHERE key = ?", (key,))
        if not rows:
            return None
        chain_id = str(rows[0][0])
        return None if chain_id and not self._snapshots.exists(chain_id) else chain_id

    def find(self, key: str) -> str | None:
        """Return the layers of a key, counting the use; None when there are none."""
        chain_id = self.peek(key)
        if chain_id is None:
            return None
        with self._database.transaction() as db:
            db.execute("UPDATE build_cache SET used_ns = ?, uses = uses + 1 WHERE key = ?", (self._time_ns(), key))
        return chain_id

    def recorder(self, keys: Iterable[str], description: str) -> Recorder:
        """Return what enters a result under its keys."""
        names = list(keys)
        now = self._time_ns()

        def record(db: sqlite3.Connection, chain_id: str) -> None:
            self.changes += 1
            for key in names:
                db.execute(
                    "INSERT INTO build_cache (key, chain_id, created_ns, used_ns, uses, description)"
                    " VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT (key) DO UPDATE SET chain_id = excluded.chain_id,"
                    " created_ns = excluded.created_ns, used_ns = excluded.used_ns",
                    (key, chain_id, now, now, description),
                )

        return record

    def dated(self, record: Recorder, times: Mapping[str, int]) -> Recorder:
        """Return what enters a result, and when its layers were made elsewhere, by chain id."""
        now = self._time_ns()

        def both(db: sqlite3.Connection, chain_id: str) -> None:
            record(db, chain_id)
            db.executemany(
                "INSERT INTO build_cache (key, chain_id, created_ns, used_ns, uses, description)"
                " VALUES (?, ?, ?, ?, 0, 'imported') ON CONFLICT (key) DO NOTHING",
                [(f"imported {layer}", layer, at, now) for layer, at in times.items()],
            )

        return both

    def alias(self, key: str, chain_id: str, description: str) -> None:
        """Enter one more key of a result."""
        with self._database.transaction() as db:
            self.recorder([key], description)(db, chain_id)

    def created_ns(self, chain_id: str) -> int | None:
        """Return when a build made these layers first."""
        rows = self._database.query("SELECT min(created_ns) FROM build_cache WHERE chain_id = ?", (chain_id,))
        value = rows[0][0] if rows else None
        return None if value is None else int(value)

    def hold(self, chain_id: str) -> None:
        """Keep layers from being collected until :meth:`release`."""
        self._held[chain_id] += 1

    def release(self, chain_ids: Iterable[str]) -> None:
        """Let go of layers."""
        self._held.subtract(chain_ids)
        self._held += Counter()

    def records(self) -> list[Record]:
        """Return every result, the one that was used longest ago first."""
        rows = self._database.query(
            "SELECT chain_id, min(created_ns), max(used_ns), sum(uses), max(description), size_bytes, parent"
            " FROM build_cache LEFT JOIN snapshots USING (chain_id)"
            " WHERE chain_id <> '' GROUP BY chain_id ORDER BY max(used_ns)"
        )
        return [
            Record(
                chain_id=str(chain_id),
                created_ns=int(created or 0),
                used_ns=int(used or 0),
                uses=int(uses or 0),
                description=str(description),
                size_bytes=int(size or 0),
                parent=str(parent or ""),
                in_use=self._held[str(chain_id)] > 0,
            )
            for chain_id, created, used, uses, description, size, parent in rows
        ]

    def extent(self) -> tuple[int, int]:
        """Return the bytes of all results, and when the one that was used longest ago was used; 0 for none."""
        ((size, used),) = self._database.query(
            "SELECT sum(size_bytes), min(used_ns)"
            " FROM (SELECT chain_id, max(used_ns) AS used_ns FROM build_cache WHERE chain_id <> '' GROUP BY chain_id)"
            " LEFT JOIN snapshots USING (chain_id)"
        )
        return int(size or 0), int(used or 0)

    def forget(self, chain_ids: Sequence[str]) -> list[str]:
        """Remove the keys of results that no build holds; return the layers that went without a key."""
        gone = [chain_id for chain_id in chain_ids if not self._held[chain_id]]
        self.changes += 1
        with self._database.transaction() as db:
            db.executemany("DELETE FROM build_cache WHERE chain_id = ?", [(one,) for one in gone])
        return gone
