"""Volume plugins: what they are asked for (docker docs, "Volume plugin protocol")."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from wharf.errors import Unavailable, WharfError
from wharf.plugins.calls import Address, call
from wharf.volumes.drivers import Shown
from wharf.volumes.rows import Row

KIND: Final = "VolumeDriver"


class PluginDriver:
    """The volumes of one plugin."""

    def __init__(self, name: str, address: Address) -> None:
        """Ask what it can do; :func:`wharf.plugins.finding.found` knows that it is a driver of volumes."""
        self.name = address.name or name
        self._address = address
        self.scope = self._scope()

    def _scope(self) -> str:
        try:
            told = self._call(f"/{KIND}.Capabilities", {}).get("Capabilities") or {}
        except WharfError:  # it came later than the first plugins
            return "local"
        return "global" if isinstance(told, dict) and told.get("Scope") == "global" else "local"

    def check(self, name: str, options: Mapping[str, str]) -> None:
        """Leave it to the plugin."""

    def create(self, row: Row) -> None:
        """Have the plugin make a volume."""
        self._call(f"/{KIND}.Create", {"Name": row.name, "Opts": row.options})

    def remove(self, row: Row) -> None:
        """Have the plugin remove a volume."""
        self._call(f"/{KIND}.Remove", {"Name": row.name})

    def mount(self, row: Row, user: str) -> str:
        """Have the plugin mount a volume for one container."""
        place = self._call(f"/{KIND}.Mount", {"Name": row.name, "ID": user}).get("Mountpoint")
        if not isinstance(place, str) or not os.path.isabs(place):
            raise Unavailable(f"the volume plugin {self.name} told no path for {row.name}")
        return self._located(place)

    def unmount(self, row: Row, user: str, others: int) -> None:  # noqa: ARG002  # the plugin counts itself
        """Have the plugin unmount a volume for one container."""
        self._call(f"/{KIND}.Unmount", {"Name": row.name, "ID": user})

    def show(self, row: Row) -> Shown:
        """Return what the plugin tells of a volume."""
        told = self._call(f"/{KIND}.Get", {"Name": row.name}).get("Volume") or {}
        if not isinstance(told, dict):
            return Shown("")
        status = told.get("Status")
        place = str(told.get("Mountpoint") or "")
        with suppress(Unavailable):  # told, and not yet there: it is shown as it was told
            place = self._located(place) if place else ""
        return Shown(place, status if isinstance(status, dict) else None)

    def _located(self, place: str) -> str:
        return place if self._address.locate is None else self._address.locate(place)

    def _call(self, path: str, document: Mapping[str, object]) -> dict[str, Any]:
        return call(f"volume plugin {self.name}", self._address, path, document)
