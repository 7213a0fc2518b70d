"""What a pull tells, as steps of a build: Docker's lines of progress in, transfers of layers out."""

from __future__ import annotations

from typing import cast

from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Description, Vertex
from wharf.build.solver.progress import Progress


class Transfers:
    """One build's pulls; each image is a step, each of its layers a transfer in it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._began: dict[str, int] = {}
        self._vertex: Vertex | None = None

    def tell(self, document: dict[str, object]) -> None:
        """Take one line of a pull (``docker pull``, the Engine API's JSON)."""
        status, layer = str(document.get("status") or ""), str(document.get("id") or "")
        if status.startswith("Pulling from "):
            name = f"{status.removeprefix('Pulling from ')}:{layer}"
            self._vertex = Vertex(Source(f"pull://{name}"), (), "", Description(f"[internal] pull {name}"))
            self._progress.began(self._vertex)
        if self._vertex is None:
            return
        if status.startswith("Status: "):
            self._progress.ended(self._vertex)
            self._vertex = None
        elif layer and status in ("Downloading", "Download complete"):
            self._move(self._vertex, layer, document, done=status == "Download complete")

    def _move(self, vertex: Vertex, layer: str, document: dict[str, object], *, done: bool) -> None:
        detail = cast("dict[str, int]", document.get("progressDetail") or {})
        began = self._began.setdefault(layer, self._progress.time_ns())
        self._progress.moved(vertex, layer, detail.get("current", 0), began, done=done)
