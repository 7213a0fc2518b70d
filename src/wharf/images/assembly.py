"""An image of layers that the store has unpacked already: what a build makes.

A layer that some image has is taken as it is stored there; another one is packed, compressed and stored first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

from wharf.errors import DataLoss
from wharf.images.catalog import Catalog
from wharf.images.intake import Intake, Layer, encode_config
from wharf.images.record import ImageRecord
from wharf.lib.digest import Digest, chain_ids
from wharf.lib.reference import Reference
from wharf.spec.oci_image import OCI_LAYER_GZIP, ImageConfig
from wharf.storage.compression import Compressing, Decompressed
from wharf.storage.copying import packed
from wharf.storage.snapshots import Snapshots
from wharf.storage.trees import FOLDER

_PIECE: Final = 1 << 18


def assemble(  # noqa: PLR0917  # three stores, three parts of the image, and the time
    intake: Intake,
    catalog: Catalog,
    snapshots: Snapshots,
    config: ImageConfig,
    chain_id: str,
    references: Iterable[Reference],
    now: str,
) -> ImageRecord:
    """Make an image of the layers up to ``chain_id``, which the caller holds; blocking.

    Raises:
        DataLoss: a layer is not what it was when it was made.
    """
    diff_ids = snapshots.diff_ids(chain_id)
    sizes = snapshots.sizes()
    layers = []
    for layer, diff_id in zip(chain_ids(diff_ids), diff_ids, strict=True):
        stored = catalog.stored_layer(diff_id)
        if stored is not None:
            layers.append(Layer(stored, diff_id, sizes[layer]))
        else:
            layers.append(_pack(intake, snapshots, layer, diff_id, sizes[layer]))
    complete: ImageConfig = {**config, "rootfs": {"type": "layers", "diff_ids": [str(one) for one in diff_ids]}}
    return intake.commit(encode_config(complete), layers, references, now)


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
    writer.finish()
    if plain.digest != diff_id:
        raise DataLoss(f"layer {chain_id} is not what it was when it was made")
    return Layer(
        {"mediaType": OCI_LAYER_GZIP, "digest": writer.digest, "size": writer.size}, diff_id, size_bytes, writer
    )
