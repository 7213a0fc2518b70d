"""What a store of unpacked layers does; the contract suite is tests/contract/storage/snapshotter.py."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from wharf.lib.digest import Digest
from wharf.spec.shim_messages import RootfsMount


class Stage(Protocol):
    """A layer on its way in: a folder to unpack into, gone unless it is adopted."""

    @property
    def path(self) -> Path:
        """The folder that will be the layer."""


class Snapshotter(Protocol):
    """Committed layers by chain id, and one writable layer a container on top of them. Everything blocks."""

    def stage(self) -> AbstractContextManager[Stage]:
        """Begin a layer."""

    def make_durable(self, stages: Sequence[Stage]) -> None:
        """Bring the content of staged layers to the disk: before they get their names."""

    def adopt(self, stage: Stage, chain_id: Digest) -> None:
        """Give a staged layer its name; one that exists is kept. It does not count until :meth:`record`."""

    def record(  # the layer's own facts
        self, db: sqlite3.Connection, chain_id: Digest, *, parent: Digest | None, diff_id: Digest, size_bytes: int
    ) -> None:
        """Enter an adopted layer, inside the caller's transaction; idempotent."""

    def exists(self, chain_id: str) -> bool:
        """Return whether a layer is recorded."""

    def lower_dirs(self, chain_id: str) -> list[Path]:
        """Return the folders of a layer and of those below it, the uppermost first; none for ""."""

    def remove(self, chain_id: Digest) -> int:
        """Remove a layer that no other lies on; return its bytes."""

    def prepare(self, container_id: str) -> None:
        """Make a container's own layer."""

    def mount_of(self, container_id: str, chain_id: str) -> RootfsMount:
        """Return how to mount a container's root."""

    def size_of(self, container_id: str) -> int:
        """Return the bytes of a container's own layer."""

    def discard(self, container_id: str) -> None:
        """Remove a container's folder with its own layer; idempotent."""
