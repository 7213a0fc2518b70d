"""A step that failed."""

from __future__ import annotations

from wharf.build.graph.vertex import Vertex
from wharf.errors import WharfError


class StepFailed(WharfError):
    """A vertex could not be done: which, and why.

    Attributes:
        vertex: which.
        reason: why.
    """

    def __init__(self, vertex: Vertex, reason: Exception) -> None:
        super().__init__(f"failed to solve: {reason}")
        self.vertex = vertex
        self.reason = reason
