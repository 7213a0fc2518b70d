"""The one database below the data root: SQLite, opened by the one engine that holds its lock.

Writes are short transactions under a lock, so threads take turns; a process that is killed leaves the last
committed state (WAL). The schema is the sum of ``migrations/NNNN_*.sql``, counted by ``PRAGMA user_version``.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wharf.errors import DataLoss, NotImplementedHere, Unavailable

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_FILE: Final = re.compile(r"(\d{4})_\w+\.sql")
_BUSY_TIMEOUT_S: Final = 10.0

Value = str | int | float | bytes | None
Row = tuple[Value, ...]


class Database:
    """One connection for the whole process; close it when the engine closes."""

    def __init__(self, path: Path, migrations: Path = _MIGRATIONS) -> None:
        """Open or make the database and bring it to the newest schema.

        Raises:
            NotImplementedHere: a later Wharf has written it.
            DataLoss: the file is not a database, or is damaged.
        """
        self._lock = threading.RLock()
        self._path = path
        self._has_name = False  # on the disk
        self._closed = False
        self.connection = sqlite3.connect(
            path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        """For reads on the thread that owns the engine; threads use :meth:`query`."""
        try:
            self._prepare(migrations)
        except sqlite3.DatabaseError as error:
            self.connection.close()
            raise DataLoss(f"the database {path} cannot be used: {error}") from error
        except BaseException:
            self.connection.close()
            raise

    def _prepare(self, migrations: Path) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            self.connection.execute(f"PRAGMA {pragma}")
        scripts = _scripts(migrations)
        version = self.version
        if version > len(scripts):
            raise NotImplementedHere(
                f"the database has schema {version}, written by a later wharf; this one knows {len(scripts)}"
            )
        for number, script in enumerate(scripts[version:], version + 1):
            self._migrate(number, script)

    def _migrate(self, number: int, script: Path) -> None:
        body = script.read_text()
        try:
            self.connection.executescript(f"BEGIN IMMEDIATE;\n{body}\nPRAGMA user_version = {number};\nCOMMIT;")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.rollback()
            raise

    @property
    def version(self) -> int:
        """The number of migrations that have been applied."""
        return int(self.connection.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the database for writing; commits at the end, undoes everything when the block raises.

        One within another is a part of that, and all or nothing with it.

        Raises:
            Unavailable: the database has been closed.
        """
        with self._lock:
            self._require_open()
            if self.connection.in_transaction:
                yield self.connection
                return
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
            except BaseException:
                self.connection.rollback()
                raise
            self.connection.commit()

    def make_durable(self) -> None:
        """Bring what has been committed to the disk: commits do not wait for it; blocking, and holds nobody up."""
        _fsync(f"{self._path}-wal", os.O_RDONLY)
        if not self._has_name:  # the log is there as long as the connection is
            _fsync(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            self._has_name = True

    def query(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Return all rows of a SELECT, never in the middle of another thread's transaction.

        Raises:
            Unavailable: the database has been closed.
        """
        with self._lock:
            self._require_open()
            return self.connection.execute(sql, parameters).fetchall()

    def problems(self) -> list[str]:
        """Return what SQLite finds wrong with the file, and references that lead nowhere (PRAGMA integrity_check)."""
        found = [str(text) for (text,) in self.query("PRAGMA integrity_check") if text != "ok"]
        broken = self.query("PRAGMA foreign_key_check")
        return found + [
            f"a row of {table!s} refers to one of {parent!s} that is not there" for table, _, parent, _ in broken
        ]

    def close(self) -> None:
        """Close the connection; idempotent."""
        with self._lock:
            self.connection.close()
            self._closed = True

    def _require_open(self) -> None:
        if self._closed:
            raise Unavailable("the engine is closed: leave its workspaces and end its streams before it")


def _fsync(path: str | Path, flags: int) -> None:
    fd = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _scripts(folder: Path) -> list[Path]:
    scripts = sorted(path for path in folder.iterdir() if _FILE.fullmatch(path.name))
    numbers = [int(path.name[:4]) for path in scripts]
    assert numbers == list(range(1, len(scripts) + 1)), f"migrations are not numbered from 1: {numbers}"
    return scripts
