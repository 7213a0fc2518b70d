"""An image of layers that the store has unpacked already: what a build makes.

A layer that some image has is taken as it is stored there; another one is packed, compressed and stored first.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from wharf.errors import DataLoss
from wharf.images.catalog import Catalog
from wharf.images.intake import Intake, Layer, encode_config
from wharf.images.record import ImageRecord
from wharf.lib.digest import Digest, chain_ids
from wharf.lib.reference import Reference
from wharf.spec.oci_image import OCI_LAYER_GZIP, ImageConfig, RootFS
from wharf.storage.compression import Compressing, Decompressed
from wharf.storage.copying import packed
from wharf.storage.snapshots import Snapshots
from wharf.storage.trees import FOLDER

_PIECE: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Assembly:
    """What an image is made of."""

    config: ImageConfig  # its ``rootfs`` is filled in
    chain_id: str  # of its uppermost layer
    references: tuple[Reference, ...]
    now: str  # RFC 3339


def assemble(intake: Intake, catalog: Catalog, snapshots: Snapshots, request: Assembly) -> ImageRecord:
    """Make an image; blocking.

    Raises:
        DataLoss: a layer is not what it was when it was made.
    """
    with catalog.reach.hold([request.chain_id] if request.chain_id else []), intake:
        diff_ids = snapshots.diff_ids(request.chain_id)
        sizes = snapshots.sizes()
        layers = []
        for layer, diff_id in zip(chain_ids(diff_ids), diff_ids, strict=True):
            if (stored := catalog.stored_layer(diff_id)) is not None:
                layers.append(Layer(stored, diff_id, sizes[layer]))
            else:
                layers.append(_pack(intake, snapshots, layer, diff_id, sizes[layer]))
        rootfs: RootFS = {"type": "layers", "diff_ids": [str(one) for one in diff_ids]}
        config = encode_config({**request.config, "rootfs": rootfs})
        return intake.commit(config, layers, request.references, request.now)


def _pack(intake: Intake, snapshots: Snapshots, chain_id: Digest, diff_id: Digest, size_bytes: int) -> Layer:
    writer = intake.writer()
    fd = os.open(snapshots.lower_dirs(chain_id)[0], FOLDER)
    try:
        with packed(fd, overlay=True) as archive:
            plain = Decompressed(archive)
            compressing = Compressing(plain, writer)
            while compressing.read(_PIECE):
                pass
            compressing.finish()
    finally:
        os.close(fd)
    writer.finish(durable=False)
    if plain.digest != diff_id:
        raise DataLoss(f"layer {chain_id} is not what it was when it was made")
    return Layer(
        {"mediaType": OCI_LAYER_GZIP, "digest": writer.digest, "size": writer.size}, diff_id, size_bytes, writer
    )
