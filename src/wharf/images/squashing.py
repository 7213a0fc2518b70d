"""An image with fewer layers: those above another image, or all, become one that does the same."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wharf.errors import InvalidArgument
from wharf.images.committing import EMPTY_TAR
from wharf.images.intake import Intake, Layer, encode_config
from wharf.images.record import ImageRecord
from wharf.kernel.libc import suppress_errno
from wharf.kernel.openat2 import Resolve, openat2
from wharf.lib.digest import Digest, chain_ids
from wharf.lib.reference import Reference
from wharf.spec.oci_image import History, ImageConfig
from wharf.storage.snapshots import Snapshots
from wharf.storage.squashing import Below, squash
from wharf.storage.trees import FOLDER

_IN_IMAGE: Final = Resolve.IN_ROOT | Resolve.NO_SYMLINKS


@dataclass(frozen=True, slots=True)
class Foundation:
    """Layers that stay as they are, the lowest first, though no image may have just these."""

    diff_ids: list[Digest]

    @property
    def chain_id(self) -> Digest:
        """What the layers are together."""
        return chain_ids(self.diff_ids)[-1]

    @property
    def id(self) -> Digest:
        """What they are called in the history."""
        return self.chain_id


@dataclass(frozen=True, slots=True)
class SquashRequest:
    """What a squash is told, checked."""

    image: ImageRecord
    base: ImageRecord | Foundation | None = None  # whose layers stay as they are; None: none do
    references: Sequence[Reference] = ()
    comment: str = ""


def squash_image(intake: Intake, snapshots: Snapshots, request: SquashRequest, now: str) -> ImageRecord:
    """Make the image; blocking.

    Raises:
        InvalidArgument: the image does not lie on the base, or has no layers of its own.
        DataLoss: layers are missing.
    """
    kept = len(request.base.diff_ids) if request.base else 0
    if request.base and list(request.image.diff_ids[:kept]) != list(request.base.diff_ids):
        raise InvalidArgument(f"image {request.image.id} does not lie on {request.base.id}: it has other layers")
    below = intake.layers_of(request.image)  # held while they are read
    above = snapshots.lower_dirs(request.image.chain_id)[: len(below) - kept]
    if not above:
        raise InvalidArgument(f"image {request.image.id} has no layers to be made one")
    with snapshots.stage() as stage, ExitStack() as stack:
        base = stack.enter_context(snapshots.open_image(request.base.chain_id if request.base else ""))
        folder = os.open(stage.path, FOLDER)
        stack.callback(os.close, folder)
        squash(_opened(stack, above), folder, _has(base))
        layer = intake.layer_of_folder(folder)
    layers = below[:kept] if layer.diff_id == EMPTY_TAR else [*below[:kept], layer]
    config = encode_config(configuration(request, layers, kept, now))
    return intake.commit(config, layers, request.references, now)


def _opened(stack: ExitStack, folders: Sequence[Path]) -> list[int]:
    """Open layers' folders, the lowest first."""
    fds = [os.open(folder, FOLDER) for folder in reversed(folders)]
    for fd in fds:
        stack.callback(os.close, fd)
    return fds


def _has(root: int | None) -> Below:
    """Return what tells whether the root of an image has a path."""

    def has(path: bytes) -> bool:
        if root is None:
            return False
        with suppress_errno(errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            os.close(openat2(root, os.fsdecode(path), os.O_PATH | os.O_NOFOLLOW, resolve=_IN_IMAGE))
            return True
        return False

    return has


def configuration(request: SquashRequest, layers: Sequence[Layer], kept: int, now: str) -> ImageConfig:
    """Return the new image's configuration: the image's, whose further steps have no layers of their own. Pure."""
    config = request.image.config
    steps: list[History] = []
    for step in config.get("history") or []:
        has_layer = not step.get("empty_layer")
        steps.append(step if kept or not has_layer else {**step, "empty_layer": True})
        kept -= has_layer and kept > 0
    base = request.base.id if request.base else Digest("scratch")
    last: History = {"created": now, "comment": request.comment or f"merge {request.image.id} to {base}"}
    if len(layers) == (len(request.base.diff_ids) if request.base else 0):
        last["empty_layer"] = True
    return {
        **config,
        "created": now,
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [*steps, last],
    }
