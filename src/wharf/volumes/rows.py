"""Volumes as rows of the database."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from wharf.errors import NotFound
from wharf.storage.metadata import Database

_QUERY = "SELECT name, driver, created_at, document FROM volumes"


@dataclass(frozen=True, slots=True)
class Row:
    """One volume."""

    name: str
    created_at: str
    labels: dict[str, str]
    driver: str = "local"
    options: dict[str, str] = field(default_factory=dict)  # the driver's
    filling: bool = False  # a copy of an image's content was begun and has not ended
    part: str = ""  # the part of it that this copy fills; '' for all of it
    made_for: str | None = None  # the container that is being created with it

    @property
    def plain(self) -> bool:
        """Whether its data are on the engine's own disk: nothing else is mounted there."""
        return self.driver == "local" and not self.options.keys() & {"type", "device"}


class Rows:
    """The table. Every method is one short transaction, from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Row]:
        """Return all volumes, by name."""
        return [_parse(*map(str, row)) for row in self._database.query(f"{_QUERY} ORDER BY name")]

    def find(self, name: str) -> Row | None:
        """Return the volume of that name, or None."""
        rows = self._database.query(f"{_QUERY} WHERE name = ?", (name,))
        return _parse(*map(str, rows[0])) if rows else None

    def require(self, name: str) -> Row:
        """Return the volume of that name; NotFound, in Docker's words, when there is none."""
        if (row := self.find(name)) is None:
            raise NotFound(f"get {name}: no such volume")
        return row

    def write(self, row: Row) -> None:
        """Record a volume, new or changed."""
        fields = {
            "labels": row.labels, "options": row.options, "filling": row.filling, "part": row.part,
            "made_for": row.made_for,
        }  # fmt: skip
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO volumes (name, driver, created_at, document) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET document = excluded.document",
                (row.name, row.driver, row.created_at, msgspec.json.encode(fields).decode()),
            )

    def forget(self, name: str) -> None:
        """Forget a volume; idempotent."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM volumes WHERE name = ?", (name,))


def _parse(name: str, driver: str, created_at: str, document: str) -> Row:
    fields = msgspec.json.decode(document)
    return Row(
        name,
        created_at,
        fields["labels"],
        driver,
        fields.get("options") or {},
        fields["filling"],
        fields.get("part") or "",
        fields.get("made_for"),
    )
