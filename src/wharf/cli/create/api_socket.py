"""``--use-api-socket``: the engine's socket in a container, and what its user is known by at registries."""

from __future__ import annotations

import os

from wharf.client.credentials import as_auths, everything_stored
from wharf.lib.light_json import dumps_pretty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from wharf.client.containers import Containers
    from wharf.client.documents import Document

TARGET = "/var/run/docker.sock"
_FOLDER = "run/secrets/docker"


def mounted(document: Document, host: str, environment: Mapping[str, str]) -> bytes:
    """Add the socket to a create request; return config.json for the container, b"" when there are no credentials.

    The socket of an engine at ``host`` that is reached otherwise is at its usual place, on its own machine.
    """
    kind, _, path = host.partition("://")
    settings: dict[str, Any] = document["HostConfig"]  # type: ignore[assignment]  # made so
    source = os.path.abspath(path) if kind == "unix" else TARGET
    bind = {"Type": "bind", "Source": source, "Target": TARGET, "BindOptions": {}}
    settings["Mounts"] = [*(settings.get("Mounts") or []), bind]
    credentials = as_auths(everything_stored(environment))
    if not credentials:
        return b""
    own: Any = document.get("Env") or []
    document["Env"] = [*own, f"DOCKER_CONFIG=/{_FOLDER}"]
    return dumps_pretty({"auths": credentials}).encode()


def hand_over(containers: Containers, container_id: str, config: bytes) -> None:
    """Put config.json into a container that has not been started: for its root alone."""
    import io  # noqa: PLC0415  # few want it
    import tarfile  # noqa: PLC0415

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        folder = ""
        for part in _FOLDER.split("/"):
            folder = f"{folder}/{part}".lstrip("/")
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        entry = tarfile.TarInfo(f"{_FOLDER}/config.json")
        entry.size, entry.mode = len(config), 0o600
        tar.addfile(entry, io.BytesIO(config))
    containers.extract(container_id, "/", [out.getvalue()])
