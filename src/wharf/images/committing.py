"""docker commit, the image's half: what a container changed becomes one more layer on the image it was made from."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from wharf.images.intake import Intake, Layer, encode_config
from wharf.images.record import ImageRecord, host_architecture
from wharf.lib.digest import Digest
from wharf.lib.reference import Reference
from wharf.lib.version import __version__
from wharf.spec.oci_image import ExecutionConfig, History, ImageConfig
from wharf.storage.pack import nothing
from wharf.storage.trees import FOLDER, Node

EMPTY_TAR: Final = Digest("sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef")
"""Of an archive without entries (1024 zeros): Docker makes no layer of it, and no other tool expects one."""


@dataclass(frozen=True, slots=True)
class CommitRequest:
    """What a commit is told, checked."""

    parent: ImageRecord | None  # None: the container was made from nothing
    changes: Callable[[], AbstractContextManager[Path]]  # gives what it changed, as an overlay's upper folder
    execution: ExecutionConfig  # of the new image, whole
    reference: Reference | None = None
    author: str = ""
    comment: str = ""
    created_by: str = ""  # the command that the container ran
    container: str = ""  # its id
    container_config: dict[str, object] = field(default_factory=dict)  # as the Engine API spells it
    leave_out: Callable[[Node], bool] = nothing  # what in the folder is none of its doing


def commit_image(intake: Intake, request: CommitRequest, now: str) -> ImageRecord:
    """Make the image; blocking. Nobody may write to the upper folder meanwhile, or the layer is a mixture.

    Raises:
        OSError: a file of the container's could not be read, or the disk is full.
        DataLoss: layers of the parent are missing.
    """
    below = intake.layers_of(request.parent) if request.parent else []
    with request.changes() as upper:
        fd = os.open(upper, FOLDER)
        try:
            layer = intake.layer_of_folder(fd, request.leave_out)
        finally:
            os.close(fd)
    layers = below if layer.diff_id == EMPTY_TAR else [*below, layer]
    config = encode_config(configuration(request, layers, now, adds=len(layers) > len(below)))
    references = [request.reference] if request.reference else []
    return intake.commit(config, layers, references, now)


def configuration(request: CommitRequest, layers: list[Layer], now: str, *, adds: bool = True) -> ImageConfig:
    """Return the new image's configuration: the parent's, with the execution's, and one step more. Pure.

    ``adds``: whether the step has a layer, the last one.
    """
    parent: ImageConfig = request.parent.config if request.parent else {"architecture": host_architecture()}
    step: History = {"created": now, "created_by": request.created_by}
    if request.author:
        step["author"] = request.author
    if request.comment:
        step["comment"] = request.comment
    if not adds:
        step["empty_layer"] = True
    config: ImageConfig = {
        "os": "linux",
        **parent,
        "created": now,
        "config": request.execution,
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [*(parent.get("history") or []), step],
    }
    config |= {
        "docker_version": __version__,
        "container": request.container,
        "container_config": request.container_config,
        "parent": request.parent.id if request.parent else "",
    }
    if request.author:
        config["author"] = request.author
    return config
