"""What references stand for, as rows of the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator

from wharf.errors import InvalidArgument
from wharf.images.lookup import Named
from wharf.lib.digest import Digest
from wharf.lib.reference import Reference
from wharf.storage.metadata import Database


def read_names(database: Database, references: Collection[str] | None) -> Iterator[tuple[str, Named]]:
    """Yield what references stand for, in their order: all, or those of these that there are."""
    query = (
        "SELECT r.reference, i.image_id, r.manifest_digest, r.target_digest, r.updated_at FROM image_references r"
        " JOIN images i USING (manifest_digest)"
    )
    if references is None:
        rows = list(database.query(f"{query} ORDER BY r.reference"))
    else:
        rows = [
            row for name in sorted(references) for row in database.query(f"{query} WHERE r.reference = ?", (name,))
        ]
    for reference, image_id, manifest, target, updated_at in rows:
        digest = Digest(str(manifest))
        named = Named(Digest(str(image_id)), digest, Digest(str(target or digest)), str(updated_at))
        yield str(reference), named


def enter_name(
    db: sqlite3.Connection, reference: Reference, manifest_digest: str, now: str, target: Digest | None
) -> None:
    """Let a reference name a manifest, one of the index ``target`` if that is given, inside the caller's transaction.

    Raises:
        InvalidArgument: it is a repository alone.
    """
    if not (reference.tag or reference.digest):
        raise InvalidArgument("invalid reference format")
    db.execute(
        "INSERT INTO image_references (reference, manifest_digest, updated_at, target_digest) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (reference) DO UPDATE SET manifest_digest = excluded.manifest_digest,"
        " updated_at = excluded.updated_at, target_digest = excluded.target_digest",
        (str(reference), manifest_digest, now, target if target and target != manifest_digest else ""),
    )
