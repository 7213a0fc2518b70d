"""Volumes: made, listed, filled from an image when first used, removed. Each is a row and ``_data``, a folder.

The row comes before the folder and goes after it, so what a killed process leaves is a row without a folder, which is
dropped when an engine starts. A volume that is made along with a container names it until that has its own record.
"""

from __future__ import annotations

import asyncio
import builtins
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from wharf.errors import Conflict, InvalidArgument, NotFound, NotImplementedHere
from wharf.kernel.openat2 import open_in_root
from wharf.lib.filters import Filters, match_labels, require_known, truth
from wharf.lib.timestamps import rfc3339_nano
from wharf.spec.engine_api.volume import Volume, VolumeCreateRequest, VolumeListResponse
from wharf.storage import trees
from wharf.storage.copying import copy_content
from wharf.storage.layout import DataRoot
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots

ANONYMOUS: Final = "com.docker.volume.anonymous"
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_LIST_FILTERS: Final = ("dangling", "driver", "label", "label!", "name")
_PRUNE_FILTERS: Final = ("all", "label", "label!")

Users = Callable[[str], Sequence[str]]
"""The ids of the containers that have a volume, by its name."""


def no_users(_name: str) -> Sequence[str]:
    """Return that no container has a volume."""
    return ()


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    created_at: str
    labels: dict[str, str]
    filling: bool  # a copy of an image's content was begun and has not ended
    made_for: str | None  # the container that is being created with it


class Volumes:
    """The volumes of one data root."""

    def __init__(
        self,
        data: DataRoot,
        database: Database,
        snapshots: Snapshots | None = None,
        time_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Open them, and drop the rows of those that a killed process was removing."""
        self._data = data
        self._database = database
        self._snapshots = snapshots or Snapshots(data, database)
        self._time_ns = time_ns
        self._lock = threading.Lock()
        data.volumes.mkdir(mode=0o711, parents=True, exist_ok=True)
        for row in self._rows():
            if not data.volume(row.name).exists():
                self._forget(row.name)

    async def list(self, filters: Filters | None = None, in_use: Users = no_users) -> VolumeListResponse:
        """Return the volumes that match, by name.

        Raises:
            InvalidArgument: a filter is unknown or malformed.
        """
        given = filters or {}
        require_known(given, _LIST_FILTERS)
        dangling = truth(given, "dangling")
        rows = [
            row
            for row in self._rows()
            if _matches(row, given) and (dangling is None or dangling == (not in_use(row.name)))
        ]
        return {"Volumes": [self._document(row) for row in rows], "Warnings": []}

    async def create(self, doc: VolumeCreateRequest, *, made_for: str | None = None) -> Volume:
        """Make a volume, or return the one of that name as it is.

        Args:
            doc: its name, labels, driver.
            made_for: the id of a container that is being created, which a new volume goes with until it is kept.

        Raises:
            InvalidArgument: the name is malformed.
            NotFound: the driver does not exist.
            NotImplementedHere: options are given, which the local driver would mount with.
        """
        name = doc.get("Name") or ""
        labels = dict(doc.get("Labels") or {})
        if not name:
            name = secrets.token_hex(32)
            labels[ANONYMOUS] = ""
        _check_name(name)
        _check_driver(name, doc)
        return self._document(await asyncio.to_thread(self._create, name, labels, made_for))

    def _create(self, name: str, labels: dict[str, str], made_for: str | None) -> _Row:
        with self._lock:
            if (row := self._row(name)) is not None:
                return row
            row = _Row(name, rfc3339_nano(self._time_ns()), labels, filling=False, made_for=made_for)
            self._write(row)
            folder = self._data.volume(name)
            folder.parent.mkdir(mode=0o701, exist_ok=True)
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
            return row

    async def keep(self, name: str) -> None:
        """Let a volume be, now that the container it was made for has a record; idempotent."""
        row = self._row(name)
        if row is not None and row.made_for:
            self._write(replace(row, made_for=None))

    async def remove_made_for(self, container_id: str) -> None:
        """Remove the volumes of a container that has not come to be; idempotent."""
        for row in self._rows():
            if row.made_for == container_id:
                await self.remove(row.name, force=True)

    def unsettled(self) -> set[str]:
        """Return the ids of the containers that volumes are being made for."""
        return {row.made_for for row in self._rows() if row.made_for}

    async def inspect(self, name: str) -> Volume:
        """Return everything about one volume; NotFound when there is none."""
        return self._document(self._require(name))

    async def remove(self, name: str, *, force: bool = False, in_use: Users = no_users) -> None:
        """Remove a volume with its data; ``force``: one that does not exist is no error.

        Raises:
            NotFound: there is none of that name.
            Conflict: a container has it.
        """
        if force and self._row(name) is None:
            return
        await asyncio.to_thread(self._remove, name, in_use)

    def _remove(self, name: str, in_use: Users) -> None:
        with self._lock:
            self._require(name)
            if users := in_use(name):
                raise Conflict(f"remove {name}: volume is in use - [{', '.join(users)}]")
            trees.remove(self._data.volumes / name, self._data.ingest)
            self._forget(name)

    async def remove_if_anonymous(self, name: str, in_use: Users = no_users) -> None:
        """Remove a volume that nobody named, unless another container has it; idempotent."""
        row = self._row(name)
        if row is not None and ANONYMOUS in row.labels and not in_use(name):
            await self.remove(name, force=True)

    async def prune(self, filters: Filters | None = None, in_use: Users = no_users) -> dict[str, object]:
        """Remove the anonymous volumes that no container has; with the filter ``all`` the named ones too.

        Raises:
            InvalidArgument: a filter is unknown or malformed.
        """
        given = filters or {}
        require_known(given, _PRUNE_FILTERS)
        named = truth(given, "all") is True
        removed: builtins.list[str] = []
        freed = 0
        for row in self._rows():
            if in_use(row.name) or not match_labels(given, row.labels) or not (named or ANONYMOUS in row.labels):
                continue
            freed += await asyncio.to_thread(trees.usage, self._data.volume(row.name))
            try:
                await self.remove(row.name, in_use=in_use)
            except (Conflict, NotFound):  # taken or removed meanwhile
                continue
            removed.append(row.name)
        return {"VolumesDeleted": removed or None, "SpaceReclaimed": freed}

    async def usage(self, name: str) -> int:
        """Return the bytes in a volume; 0 when it does not exist."""
        return await asyncio.to_thread(trees.usage, self._data.volume(name))

    async def fill(self, name: str, destination: str, chain_id: str) -> None:
        """Copy what an image has at ``destination`` into an empty volume, with the folder's own owner and mode.

        A volume with content, or an image without that folder, is left as it is. A copy that a killed process began
        is done again.

        Raises:
            NotFound: there is no such volume.
            OSError: the disk is full.
        """
        await asyncio.to_thread(self._fill, name, destination, chain_id)

    def _fill(self, name: str, destination: str, chain_id: str) -> None:
        with self._lock:
            row = self._require(name)
            folder = self._data.volume(name)
            if any(folder.iterdir()) and not row.filling:
                return
            with self._snapshots.open_image(chain_id) as root:
                source = None if root is None else _open_folder(root, destination)
                if source is None:
                    return
                try:
                    self._write(replace(row, filling=True))
                    _copy(source, folder)
                    self._write(replace(row, filling=False))
                finally:
                    os.close(source)

    def _document(self, row: _Row) -> Volume:
        return {
            "CreatedAt": row.created_at,
            "Driver": "local",
            "Labels": row.labels or None,
            "Mountpoint": str(self._data.volume(row.name)),
            "Name": row.name,
            "Options": None,
            "Scope": "local",
        }

    def _rows(self) -> builtins.list[_Row]:
        rows = self._database.query("SELECT name, created_at, document FROM volumes ORDER BY name")
        return [_parse(*map(str, row)) for row in rows]

    def _row(self, name: str) -> _Row | None:
        rows = self._database.query("SELECT name, created_at, document FROM volumes WHERE name = ?", (name,))
        return _parse(*map(str, rows[0])) if rows else None

    def _require(self, name: str) -> _Row:
        row = self._row(name)
        if row is None:
            raise NotFound(f"get {name}: no such volume")
        return row

    def _write(self, row: _Row) -> None:
        fields = {"labels": row.labels, "filling": row.filling, "made_for": row.made_for}
        document = msgspec.json.encode(fields).decode()
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO volumes (name, driver, created_at, document) VALUES (?, 'local', ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET document = excluded.document",
                (row.name, row.created_at, document),
            )

    def _forget(self, name: str) -> None:
        with self._database.transaction() as db:
            db.execute("DELETE FROM volumes WHERE name = ?", (name,))


def _parse(name: str, created_at: str, document: str) -> _Row:
    fields = msgspec.json.decode(document)
    return _Row(name, created_at, fields["labels"], fields["filling"], fields.get("made_for"))


def _check_name(name: str) -> None:
    if len(name) == 1:
        raise InvalidArgument("volume name is too short, names should be at least two alphanumeric characters")
    if not _NAME.fullmatch(name) or len(name) > 255:
        raise InvalidArgument(
            f'create {name}: "{name}" includes invalid characters for a local volume name, only '
            '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path'
        )


def _check_driver(name: str, doc: VolumeCreateRequest) -> None:
    driver = doc.get("Driver") or "local"
    if driver != "local":
        raise NotFound(f'create {name}: error looking up volume plugin {driver}: plugin "{driver}" not found')
    if options := doc.get("DriverOpts"):
        raise NotImplementedHere(f"volume options are not supported by this build of wharf: {', '.join(options)}")


def _matches(row: _Row, filters: Filters) -> bool:
    names, drivers = filters.get("name"), filters.get("driver")
    return (
        (not names or any(name in row.name for name in names))
        and (not drivers or "local" in drivers)
        and match_labels(filters, row.labels)
    )


def _open_folder(root: int, path: str) -> int | None:
    """Return the folder that a process in the image would find at ``path``; None when there is none."""
    try:
        return open_in_root(root, path, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _copy(source: int, folder: Path) -> None:
    target = os.open(folder, trees.FOLDER)
    try:
        copy_content(source, target)
        status = os.fstat(source)
        os.fchown(target, status.st_uid, status.st_gid)
        os.fchmod(target, status.st_mode & 0o7777)
    finally:
        os.close(target)
