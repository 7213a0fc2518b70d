"""A client's folder of blobs as its session serves it: the command line's own, and what can be wrong with one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from wharf.cli.build.contents import Contents
from wharf.rpc.methods import Method

INDEX = "application/vnd.oci.image.index.v1+json"


class FakeStore:
    """Folders below ``top`` by the names ``local:NAME``."""

    def __init__(self, top: Path, *names: str) -> None:
        self.top = top
        self._names = names

    def methods(self) -> dict[str, Method]:
        return Contents({f"local:{name}": str(self.top / name) for name in self._names}).methods()

    def path(self, name: str, digest: str) -> Path:
        return self.top / name / "blobs/sha256" / digest.removeprefix("sha256:")

    def add(self, name: str, data: bytes, digest: str = "") -> str:
        """Put a blob there; ``digest``: under a wrong name."""
        digest = digest or f"sha256:{hashlib.sha256(data).hexdigest()}"
        path = self.path(name, digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return digest

    def add_json(self, name: str, document: object) -> str:
        return self.add(name, json.dumps(document).encode())
