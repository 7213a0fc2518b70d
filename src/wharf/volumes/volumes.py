"""Volumes: made, listed, filled from an image when first used, mounted while they are used, removed.

Each is a row, and what its driver keeps: the local one a folder, ``_data``. The row comes before the folder and goes
after it, so what a killed process leaves is a row without a folder, which is dropped when an engine starts. A volume
that is made along with a container names it until that has its own record.
"""

from __future__ import annotations

import asyncio
import builtins
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from wharf.errors import NOT_A_MANAGER, Conflict, InvalidArgument, NotFound, Unavailable, WharfError
from wharf.lib.filters import Filters, match_labels, require_known, truth
from wharf.lib.timestamps import rfc3339_nano
from wharf.plugins.finding import Find, find_none, found
from wharf.spec.engine_api.volume import Volume, VolumeCreateRequest, VolumeListResponse
from wharf.storage import trees
from wharf.storage.layout import DataRoot
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots
from wharf.volumes import filling
from wharf.volumes.drivers import Driver, LocalDriver, Shown
from wharf.volumes.plugins import KIND, PluginDriver
from wharf.volumes.rows import Row, Rows

LOCAL: Final = "local"
ANONYMOUS: Final = "com.docker.volume.anonymous"
_FILLING: Final = "filling"  # who mounts a volume to fill it
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_LIST_FILTERS: Final = ("dangling", "driver", "label", "label!", "name")
_PRUNE_FILTERS: Final = ("all", "label", "label!")

Users = Callable[[str], Sequence[str]]
"""The ids of the containers that have a volume, by its name."""


def no_users(_name: str) -> Sequence[str]:
    """Return that no container has a volume."""
    return ()


class Volumes:
    """The volumes of one data root."""

    def __init__(
        self,
        data: DataRoot,
        database: Database,
        snapshots: Snapshots | None = None,
        time_ns: Callable[[], int] = time.time_ns,
        *,
        managed: Find = find_none,
    ) -> None:
        """Open them, and drop the rows of those that a killed process was removing.

        Args:
            data: where they are.
            database: their rows.
            snapshots: what fills them.
            time_ns: the time.
            managed: the engine's own plugins.
        """
        self._managed = managed
        self._data = data
        self._rows = Rows(database)
        self._local = LocalDriver(data)
        self._users: dict[str, set[str]] = {}  # of volumes that are mounted
        self._snapshots = snapshots or Snapshots(data, database)
        self._time_ns = time_ns
        self._lock = threading.Lock()
        data.volumes.mkdir(mode=0o711, parents=True, exist_ok=True)
        for row in self._rows.all():
            if row.driver == LOCAL and not data.volume(row.name).exists():
                with suppress(FileNotFoundError):
                    (data.volumes / row.name).rmdir()  # made, and not yet filled with its data's folder
                self._rows.forget(row.name)

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
            for row in self._rows.all()
            if _matches(row, given) and (dangling is None or dangling == (not in_use(row.name)))
        ]
        return await asyncio.to_thread(self._listed, rows)

    async def create(self, doc: VolumeCreateRequest, *, made_for: str | None = None) -> Volume:
        """Make a volume, or return the one of that name as it is.

        Args:
            doc: its name, labels, driver.
            made_for: the id of a container that is being created, which a new volume goes with until it is kept.

        Raises:
            InvalidArgument: the name is malformed.
            NotFound: the driver does not exist.
            Conflict: another driver has a volume of that name.
            Unavailable: it is to be a cluster's volume.
            WharfError: what the driver says.
        """
        if doc.get("ClusterVolumeSpec") is not None:
            raise Unavailable(NOT_A_MANAGER)
        name = doc.get("Name") or ""
        labels = dict(doc.get("Labels") or {})
        if not name:
            name = secrets.token_hex(32)
            labels[ANONYMOUS] = ""
        _check_name(name)
        options = {str(key): str(value) for key, value in (doc.get("DriverOpts") or {}).items()}
        row = Row(name, rfc3339_nano(self._time_ns()), labels, doc.get("Driver") or LOCAL, options, made_for=made_for)
        return await asyncio.to_thread(lambda: self._document(self._create(row)))

    def _create(self, wanted: Row) -> Row:
        with self._lock:
            if (row := self._rows.find(wanted.name)) is not None:
                if wanted.driver not in (row.driver, LOCAL) and self._full_name(wanted) != row.driver:
                    raise Conflict(f"create {row.name}: conflict: the driver {row.driver} has a volume of that name")
                return row
            try:
                driver = self._driver(wanted)
            except (Conflict, NotFound) as error:
                raise type(error)(f"create {wanted.name}: {error}") from error
            wanted = replace(wanted, driver=driver.name)
            driver.check(wanted.name, wanted.options)
            self._rows.write(wanted)
            try:
                driver.create(wanted)
            except WharfError as error:
                self._rows.forget(wanted.name)
                raise type(error)(f"create {wanted.name}: {error}") from error
            return wanted

    def _driver(self, row: Row) -> Driver:
        """Return who keeps a volume.

        Raises:
            NotFound: it is not there, in Docker's words.
            Conflict: it is disabled, likewise.
        """
        if row.driver == LOCAL:
            return self._local
        try:
            address = found(row.driver, KIND, self._managed)
        except (Conflict, NotFound) as error:
            raise type(error)(f"error looking up volume plugin {row.driver}: {error}") from error
        return PluginDriver(row.driver, address)

    def _full_name(self, row: Row) -> str:
        try:
            return self._driver(row).name
        except WharfError:  # whoever it is, it is not there to keep anything
            return row.driver

    def of_driver(self, name: str) -> builtins.list[str]:
        """Return the names of the volumes that a driver keeps."""
        return [row.name for row in self._rows.all() if row.driver == name]

    def driver_of(self, name: str) -> str:
        """Return who keeps a volume; '' when there is none of that name."""
        row = self._rows.find(name)
        return row.driver if row else ""

    def find(self, name: str) -> Row | None:
        """Return the record of a volume; None when there is none of that name."""
        return self._rows.find(name)

    def keep(self, name: str) -> None:
        """Let a volume be: the container it was made for is being recorded. Idempotent."""
        row = self._rows.find(name)
        if row is not None and row.made_for:
            self._rows.write(replace(row, made_for=None))

    async def remove_made_for(self, container_id: str) -> None:
        """Remove the volumes of a container that has not come to be; idempotent."""
        for row in self._rows.all():
            if row.made_for == container_id:
                await self.remove(row.name, force=True)

    def unsettled(self) -> set[str]:
        """Return the ids of the containers that volumes are being made for."""
        return {row.made_for for row in self._rows.all() if row.made_for}

    async def inspect(self, name: str) -> Volume:
        """Return everything about one volume; NotFound when there is none."""
        row = self._rows.require(name)
        return await asyncio.to_thread(self._document, row, whole=True)

    async def remove(self, name: str, *, force: bool = False, in_use: Users = no_users) -> None:
        """Remove a volume with its data; ``force``: one that does not exist is no error.

        Raises:
            NotFound: there is none of that name.
            Conflict: a container has it.
        """
        if force and self._rows.find(name) is None:
            return
        await asyncio.to_thread(self._remove, name, in_use)

    def _remove(self, name: str, in_use: Users) -> None:
        with self._lock:
            row = self._rows.require(name)
            if users := in_use(name):
                raise Conflict(f"remove {name}: volume is in use - [{', '.join(users)}]")
            self._driver(row).remove(row)
            self._users.pop(name, None)
            self._rows.forget(name)

    async def remove_if_anonymous(self, name: str, in_use: Users = no_users) -> None:
        """Remove a volume that nobody named, unless another container has it; idempotent."""
        row = self._rows.find(name)
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
        for row in self._rows.all():
            if in_use(row.name) or not match_labels(given, row.labels) or not (named or ANONYMOUS in row.labels):
                continue
            freed += await self.usage(row.name)
            try:
                await self.remove(row.name, in_use=in_use)
            except (Conflict, NotFound):  # taken or removed meanwhile
                continue
            removed.append(row.name)
        return {"VolumesDeleted": removed, "SpaceReclaimed": freed}

    async def usage(self, name: str) -> int:
        """Return the bytes in a volume; 0 when it does not exist."""
        return await asyncio.to_thread(trees.usage, self._data.volume(name))

    async def mount(self, name: str, user: str) -> str:
        """Let a container that starts, ``user``, have a volume's data; return where they are. Idempotent.

        Undone by :meth:`unmount`.

        Raises:
            NotFound: there is no such volume, or its driver has gone.
            WharfError: why it could not be mounted, in Docker's words.
        """
        row = self._rows.require(name)
        if row.driver == LOCAL and not row.options:
            return self._local.show(row).path  # there is nothing to mount, and on the way of every start
        return await asyncio.to_thread(self._mount, name, user)

    def _mount(self, name: str, user: str) -> str:
        with self._lock:
            row = self._rows.require(name)
            path = self._driver(row).mount(row, user)
            self._users.setdefault(name, set()).add(user)
            return path

    async def unmount(self, name: str, user: str) -> None:
        """Take a volume's data from a container that has ended; idempotent."""
        if user in self._users.get(name, ()):
            await asyncio.to_thread(self._unmount, name, user)

    def _unmount(self, name: str, user: str) -> None:
        with self._lock:
            row, users = self._rows.find(name), self._users.get(name, set())
            users.discard(user)
            if not users:
                self._users.pop(name, None)
            if row is not None:
                self._driver(row).unmount(row, user, len(users))

    async def settle(self, live: Mapping[str, Sequence[str]]) -> None:
        """Take up the mounts that an earlier engine left: ``live`` are the containers that run, by volume."""
        await asyncio.to_thread(self._settle, live)

    def _settle(self, live: Mapping[str, Sequence[str]]) -> None:
        with self._lock:
            self._users = {name: set(users) for name, users in live.items() if users}
            for row in self._rows.all():
                if row.options and row.driver == LOCAL and row.name not in self._users:
                    self._local.unmount(row, "", 0)

    async def fill(self, name: str, destination: str, chain_id: str, part: str = "") -> None:
        """Copy what an image has at ``destination`` into an empty volume, with the folder's own owner and mode.

        With ``part`` that folder of the volume is filled, and the rest left alone. A folder with content, one that is
        not there, or an image without that folder: nothing is done. A copy that a killed process began is done again.

        Raises:
            NotFound: there is no such volume.
            OSError: the disk is full.
        """
        await asyncio.to_thread(self._fill, name, destination, chain_id, part)

    def _fill(self, name: str, destination: str, chain_id: str, part: str) -> None:
        with self._lock:
            row = self._rows.require(name)
            driver = self._driver(row)
            folder = Path(driver.mount(row, _FILLING))
            try:
                with filling.opened(folder, part) as target:
                    if target is not None:
                        self._fill_folder(row, target, destination, chain_id, part)
            finally:
                driver.unmount(row, _FILLING, len(self._users.get(name, ())))

    def _fill_folder(self, row: Row, target: int, destination: str, chain_id: str, part: str) -> None:
        if os.listdir(target) and not (row.filling and row.part == part):
            return
        with self._snapshots.open_image(chain_id) as root, filling.source(root, destination) as source:
            if source is not None:
                self._rows.write(replace(row, filling=True, part=part))
                filling.copy(source, target)
                self._rows.write(replace(row, filling=False, part=""))

    def _listed(self, rows: Sequence[Row]) -> VolumeListResponse:
        return {"Volumes": [self._document(row) for row in rows], "Warnings": []}

    def _document(self, row: Row, *, whole: bool = False) -> Volume:
        """Return a volume as the API shows it; ``whole``: with what only its driver knows, if that is another's."""
        scope, shown = "local", self._local.show(row)
        if row.driver != LOCAL:
            shown = Shown("")
            if whole:
                driver = self._driver(row)
                scope, shown = driver.scope, driver.show(row)
        document: Volume = {
            "CreatedAt": row.created_at,
            "Driver": row.driver,
            "Labels": row.labels or None,
            "Mountpoint": shown.path,
            "Name": row.name,
            "Options": row.options or None,
            "Scope": scope,
        }
        if shown.status:
            document["Status"] = dict(shown.status)
        return document


def _check_name(name: str) -> None:
    if len(name) == 1:
        raise InvalidArgument(
            f"create {name}: volume name is too short, names should be at least two alphanumeric characters"
        )
    if not _NAME.fullmatch(name) or len(name) > 255:
        raise InvalidArgument(
            f'create {name}: "{name}" includes invalid characters for a local volume name, only '
            '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path'
        )


def _matches(row: Row, filters: Filters) -> bool:
    names, drivers = filters.get("name"), filters.get("driver")
    return (
        (not names or any(name in row.name for name in names))
        and (not drivers or row.driver in drivers)
        and match_labels(filters, row.labels)
    )
