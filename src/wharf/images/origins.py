"""Where images came from, as this engine saw it itself (Engine API, "Identity").

It stays with the image whatever its names become. What an archive or a name says of itself is no origin; signatures
are not verified, so there are none.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

from wharf.spec.engine_api.image import Identity
from wharf.storage.metadata import Database

_MOST_BUILDS: Final = 50  # of an image; as many as the history of builds keeps
_REPOSITORY: Final = "repository"
_BUILD: Final = "build"


@dataclass(frozen=True, slots=True)
class Build:
    """One that made an image."""

    ref: str  # its name in the history of builds
    began: str  # RFC 3339


class Origins:
    """Rows of one database; every call is short, and may be made on any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, image_id: str) -> Identity | None:
        """Return what is known of an image; None for nothing."""
        rows = self._database.query(
            "SELECT kind, value, at FROM image_origins WHERE image_id = ? ORDER BY kind, at, value", (image_id,)
        )
        repositories = [str(value) for kind, value, _ in rows if kind == _REPOSITORY]
        builds = [(str(value), str(at)) for kind, value, at in rows if kind == _BUILD]
        found: Identity = {}
        if repositories:
            found["Pull"] = [{"Repository": repository} for repository in repositories]
        if builds:
            found["Build"] = [{"Ref": ref, "CreatedAt": at} for ref, at in builds]
        return found or None

    def at_registry(self, image_id: str, repository: str, now: str) -> None:
        """Note that an image came from a repository, or was sent there."""
        with self._database.transaction() as db:
            _note(db, (image_id, _REPOSITORY, repository, now))

    def built(self, image_id: str, build: Build) -> None:
        """Note that a build made an image; the oldest of many are forgotten."""
        with self._database.transaction() as db:
            _note(db, (image_id, _BUILD, build.ref, build.began))
            db.execute(
                "DELETE FROM image_origins WHERE image_id = ?1 AND kind = ?2 AND rowid NOT IN (SELECT rowid"
                " FROM image_origins WHERE image_id = ?1 AND kind = ?2 ORDER BY at DESC, rowid DESC LIMIT ?3)",
                (image_id, _BUILD, _MOST_BUILDS),
            )


def forget_origins(db: sqlite3.Connection) -> None:
    """Forget where images came from that have gone, inside the caller's transaction."""
    db.execute("DELETE FROM image_origins WHERE image_id NOT IN (SELECT image_id FROM images)")


def _note(db: sqlite3.Connection, row: tuple[str, str, str, str]) -> None:
    db.execute("INSERT OR REPLACE INTO image_origins (image_id, kind, value, at) VALUES (?, ?, ?, ?)", row)
