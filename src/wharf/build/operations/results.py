"""What an operation leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Layers:
    """Layers of the store, by the chain id of the uppermost; "" for none."""

    chain_id: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is no layer: a context, a download, a checkout; it goes when the build ends."""

    path: Path


Result: TypeAlias = Layers | Folder


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a command that failed has written, and the layers that it ran on; it goes when the build ends."""

    base: Layers
    upper: Path


Tree: TypeAlias = Layers | Folder | Unfinished
