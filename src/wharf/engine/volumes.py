"""docker volume …: the volumes, with what only the engine knows: which containers use one, and the events."""

from __future__ import annotations

import builtins

from wharf.engine.context import Context
from wharf.engine.documents import held
from wharf.lib.filters import Filters
from wharf.spec.engine_api.volume import Volume, VolumeCreateRequest, VolumeListResponse


class VolumeVerbs:
    """The volumes of one engine."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._volumes = context.volumes

    async def create(self, doc: VolumeCreateRequest) -> Volume:
        """Make a volume, or return the one of that name."""
        held_doc = held(doc, VolumeCreateRequest, "a volume's request")
        was_there = self._volumes.driver_of(held_doc.get("Name") or "")
        volume = await self._volumes.create(held_doc)
        if not was_there:
            self._publish("create", volume.get("Name") or "", volume.get("Driver") or "local")
        return volume

    async def inspect(self, name: str) -> Volume:
        """Return all of a volume."""
        return await self._volumes.inspect(name)

    async def remove(self, name: str, *, force: bool = False) -> None:
        """Remove a volume with its data; with ``force`` also one that does not exist.

        Raises:
            Conflict: a container uses it.
        """
        driver = self._volumes.driver_of(name)
        await self._volumes.remove(name, force=force, in_use=self._context.volume_users)
        if driver:
            self._publish("destroy", name, driver)

    async def prune(self, filters: Filters | None = None) -> dict[str, object]:
        """Remove the volumes that no container uses: anonymous ones, or all with the filter ``all``."""
        driver_of = {name: self._volumes.driver_of(name) for name in await self._names()}
        pruned = await self._volumes.prune(filters, in_use=self._context.volume_users)
        for name in pruned["VolumesDeleted"] or []:  # type: ignore[attr-defined]  # names
            self._publish("destroy", name, driver_of.get(name) or "local")
        self._context.events.publish("volume", "prune", "", {"reclaimed": str(pruned["SpaceReclaimed"])})
        return pruned

    async def _names(self) -> builtins.list[str]:
        return [volume.get("Name") or "" for volume in (await self._volumes.list()).get("Volumes") or []]

    async def list(self, filters: Filters | None = None) -> VolumeListResponse:
        """Return the volumes that match."""
        return await self._volumes.list(filters, in_use=self._context.volume_users)

    def _publish(self, action: str, name: str, driver: str) -> None:
        self._context.events.publish("volume", action, name, {"driver": driver})
