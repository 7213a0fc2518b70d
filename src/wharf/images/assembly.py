"""An image of layers that the store has unpacked already: what a build makes.

A layer that some image has is taken as it is stored there; another one is packed, compressed and stored first.
"""

from __future__ import annotations

from dataclasses import dataclass

from wharf.images.intake import Intake, Layer, encode_config
from wharf.images.packing import Shelf
from wharf.images.record import ImageRecord
from wharf.lib.reference import Reference
from wharf.spec.oci_image import ImageConfig, RootFS


@dataclass(frozen=True, slots=True)
class Assembly:
    """What an image is made of."""

    config: ImageConfig  # its ``rootfs`` is filled in
    chain_id: str  # of its uppermost layer
    references: tuple[Reference, ...]
    now: str  # RFC 3339


def assemble(intake: Intake, shelf: Shelf, request: Assembly) -> ImageRecord:
    """Make an image; blocking.

    Raises:
        DataLoss: a layer is not what it was when it was made.
    """
    with intake, shelf:
        blobs = shelf.blobs(request.chain_id)
        layers = [Layer(blob.descriptor, blob.diff_id, blob.size_bytes, blob.writer) for blob in blobs]
        rootfs: RootFS = {"type": "layers", "diff_ids": [str(blob.diff_id) for blob in blobs]}
        config = encode_config({**request.config, "rootfs": rootfs})
        return intake.commit(config, layers, request.references, request.now)
