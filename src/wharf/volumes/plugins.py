"""Volume plugins: found by their sockets or specifications, and spoken to (docker docs, "Volume plugin protocol").

A plugin is a program of somebody else's; it is looked up each time it is needed. Those that the engine keeps itself
are found by whoever opens the volumes (:data:`Find`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from wharf.errors import NotFound, Unavailable, WharfError
from wharf.volumes.drivers import Shown
from wharf.volumes.plugin_calls import Address, call
from wharf.volumes.rows import Row

SOCKET_FOLDERS: Final = (Path("/run/docker/plugins"), Path("/run/wharf/plugins"))
SPEC_FOLDERS: Final = tuple(
    Path(f"{top}/{name}/plugins") for top in ("/etc", "/usr/lib") for name in ("docker", "wharf")
)
__all__ = ["Address", "Find", "PluginDriver", "find", "find_none"]

_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_KIND: Final = "VolumeDriver"


Find = Callable[[str], Address | None]
"""Returns where a plugin of the engine's own listens, by name; None when it has none of that name."""


def find_none(_name: str) -> Address | None:
    """Return that the engine keeps no plugin."""
    return None


def find(name: str, sockets: Sequence[Path] = SOCKET_FOLDERS, specs: Sequence[Path] = SPEC_FOLDERS) -> Address | None:
    """Return where the plugin of a name listens (docker docs, "Plugin discovery"); None when there is none.

    Raises:
        Unavailable: its specification is malformed.
    """
    if not _NAME.fullmatch(name):
        return None
    for folder in sockets:
        for path in (folder / f"{name}.sock", folder / name / f"{name}.sock"):
            if path.is_socket():
                return Address(f"unix://{path}")
    for folder in specs:
        for path in (folder / f"{name}.spec", folder / f"{name}.json", folder / name / f"{name}.json"):
            if path.is_file():
                return _read(path)
    return None


def _read(path: Path) -> Address:
    try:
        text = path.read_text()
        if path.suffix == ".spec":
            return Address(text.strip())
        document = json.loads(text)
        return Address(str(document["Addr"]), document.get("TLSConfig"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unavailable(f"the specification of a plugin cannot be read: {path}: {error}") from error


class PluginDriver:
    """The volumes of one plugin."""

    def __init__(self, name: str, address: Address) -> None:
        """Shake hands.

        Raises:
            Unavailable: it does not answer.
            NotFound: it is no driver of volumes.
        """
        self.name = address.name or name
        self._address = address
        kinds = [_KIND] if address.name else self._call("/Plugin.Activate", {}).get("Implements") or []
        if _KIND not in kinds:
            raise NotFound(f'error looking up volume plugin {name}: plugin "{name}" does not implement {_KIND}')
        self.scope = self._scope()

    def _scope(self) -> str:
        try:
            told = self._call(f"/{_KIND}.Capabilities", {}).get("Capabilities") or {}
        except WharfError:  # it came later than the first plugins
            return "local"
        return "global" if isinstance(told, dict) and told.get("Scope") == "global" else "local"

    def check(self, name: str, options: Mapping[str, str]) -> None:
        """Leave it to the plugin."""

    def create(self, row: Row) -> None:
        """Have the plugin make a volume."""
        self._call(f"/{_KIND}.Create", {"Name": row.name, "Opts": row.options})

    def remove(self, row: Row) -> None:
        """Have the plugin remove a volume."""
        self._call(f"/{_KIND}.Remove", {"Name": row.name})

    def mount(self, row: Row, user: str) -> str:
        """Have the plugin mount a volume for one container."""
        place = self._call(f"/{_KIND}.Mount", {"Name": row.name, "ID": user}).get("Mountpoint")
        if not isinstance(place, str) or not os.path.isabs(place):
            raise Unavailable(f"the volume plugin {self.name} told no path for {row.name}")
        return self._located(place)

    def unmount(self, row: Row, user: str, others: int) -> None:  # noqa: ARG002  # the plugin counts itself
        """Have the plugin unmount a volume for one container."""
        self._call(f"/{_KIND}.Unmount", {"Name": row.name, "ID": user})

    def show(self, row: Row) -> Shown:
        """Return what the plugin tells of a volume."""
        told = self._call(f"/{_KIND}.Get", {"Name": row.name}).get("Volume") or {}
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
