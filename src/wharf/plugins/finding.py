"""Plugins are found by their sockets or specifications (docker docs, "Plugin discovery"), each time they are needed.

Those that the engine keeps itself are found by whoever asks for them (:data:`Find`), and come first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from wharf.errors import NotFound, Unavailable
from wharf.plugins.calls import Address, call

SOCKET_FOLDERS: Final = (Path("/run/docker/plugins"), Path("/run/wharf/plugins"))
SPEC_FOLDERS: Final = tuple(
    Path(f"{top}/{name}/plugins") for top in ("/etc", "/usr/lib") for name in ("docker", "wharf")
)
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")

Find = Callable[[str], Address | None]
"""Returns where a plugin of the engine's own listens, by name; None when it has none of that name."""


def find_none(_name: str) -> Address | None:
    """Return that the engine keeps no plugin."""
    return None


def found(name: str, kind: str, managed: Find = find_none, known: set[tuple[str, str, str]] | None = None) -> Address:
    """Return where the plugin of a name listens, once it has said that it is of a kind; blocking.

    Args:
        name: which.
        kind: what it is to implement: "VolumeDriver", for example.
        managed: finds the engine's own, of that kind.
        known: kinds, names and addresses of those that need not say so again; one that does is added.

    Raises:
        NotFound: there is none, or it is of another kind.
        Conflict: it is disabled, says ``managed``.
        Unavailable: it does not answer, or its specification is malformed.
        WharfError: it answers with an error.
    """
    if (own := managed(name)) is not None:
        return own
    if (address := find(name)) is None:
        raise NotFound(f'plugin "{name}" not found')
    if known is not None and (kind, name, address.url) in known:
        return address
    told = call(f"plugin {name}", address, "/Plugin.Activate", {}).get("Implements")
    if not isinstance(told, list) or kind not in told:
        raise NotFound(f'plugin "{name}" does not implement {kind}')
    if known is not None:
        known.add((kind, name, address.url))
    return address


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
