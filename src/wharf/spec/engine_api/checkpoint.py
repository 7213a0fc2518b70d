"""Documents of checkpoints: experimental in Docker, so that the API's definition lacks them (docker CLI)."""

from typing import TypedDict


class CheckpointCreate(TypedDict, total=False):
    """Body of POST /containers/{id}/checkpoints."""

    CheckpointID: str | None
    CheckpointDir: str | None  # on the engine's machine; empty: the container's own folder
    Exit: bool | None  # stop the container


class Checkpoint(TypedDict):
    """One of what GET /containers/{id}/checkpoints returns."""

    Name: str
