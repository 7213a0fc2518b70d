"""What the disk holds of a plugin.

::

    <root>/plugins/<id>/
    ├── <hex of its manifest>/            what it is made of: replaced as a whole by an upgrade
    │   ├── manifest.json <hex>…          as a registry has it: the manifest, and the blobs it lists
    │   └── rootfs/                       its root, where it writes
    └── propagated-mount/                 what its PropagatedMount is; stays with an upgrade
"""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import msgspec

from wharf.engine.plugins.config import read_config
from wharf.errors import InvalidArgument
from wharf.images.bridge import Blocking
from wharf.kernel.openat2 import Resolve, openat2
from wharf.kernel.rename import exchange
from wharf.lib.digest import Digest, digest_of, hex_of
from wharf.spec.engine_api.plugin import PLUGIN_CONFIG, PluginConfig
from wharf.spec.oci_image import DOCKER_LAYER_GZIP, DOCKER_MANIFEST, Descriptor, Manifest
from wharf.storage import trees
from wharf.storage.compression import Compressing, Decompressed
from wharf.storage.content import fsync_folder, sync_system
from wharf.storage.copying import packed
from wharf.storage.diff import Manner, extract, unpack
from wharf.storage.layout import DataRoot
from wharf.storage.roots.native import put_together
from wharf.storage.tar_reader import Source
from wharf.storage.trees import FOLDER

MANIFEST: Final = "manifest.json"
ROOTFS: Final = "rootfs"
PROPAGATED: Final = "propagated-mount"
_MAX_CONFIG_BYTES: Final = 4 * 1024 * 1024
_PIECE: Final = 1024 * 1024
_INSIDE: Final = int(Resolve.BENEATH | Resolve.NO_SYMLINKS)


@dataclass(frozen=True, slots=True)
class Made:
    """What a draft holds."""

    manifest: Digest
    config: PluginConfig


@asynccontextmanager
async def draft(data: DataRoot, blocking: Blocking) -> AsyncIterator[Path]:
    """Give a folder to make a plugin in, on the file system of where it will be; what is left goes at the end."""
    data.ingest.mkdir(mode=0o700, exist_ok=True)
    place = Path(mkdtemp(dir=data.ingest, prefix="plugin-"))
    try:
        made = place / "made"
        made.mkdir(mode=0o711)
        yield made
    finally:
        await blocking.run(partial(trees.remove_buried, place))


def from_archive(archive: Source, place: Path) -> Made:
    """Make a plugin of an archive with ``config.json`` and ``rootfs/``, as docker plugin create sends it; blocking.

    Raises:
        InvalidArgument: the archive is corrupt or refused, lacks one of them, or the configuration is malformed.
    """
    content = place.parent / "content"
    content.mkdir()
    top = os.open(content, FOLDER)
    try:
        extract(Decompressed(archive), top, Manner(layer=False))
        config = read_config(_config_in(top))
        _require_rootfs(top)
    finally:
        os.close(top)
    (content / ROOTFS).rename(place / ROOTFS)
    layer, diff_id = _pack(place)
    config["rootfs"] = {"type": "layers", "diff_ids": [diff_id]}
    raw = msgspec.json.encode(config, order="sorted")
    (place / hex_of(digest_of(raw))).write_bytes(raw)
    manifest: Manifest = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": {"mediaType": PLUGIN_CONFIG, "digest": digest_of(raw), "size": len(raw)},
        "layers": [layer],
    }
    document = msgspec.json.encode(manifest)
    (place / MANIFEST).write_bytes(document)
    return Made(digest_of(document), config)


def _config_in(top: int) -> bytes:
    try:
        fd = openat2(top, "config.json", os.O_RDONLY | os.O_NONBLOCK, resolve=_INSIDE)
    except OSError as error:
        raise InvalidArgument("config not found") from error
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_CONFIG_BYTES:
            raise InvalidArgument("config not found: config.json is no file, or too large for one")
        return file.read(_MAX_CONFIG_BYTES)


def _require_rootfs(top: int) -> None:
    try:
        os.close(openat2(top, ROOTFS, os.O_PATH | os.O_DIRECTORY, resolve=_INSIDE))
    except OSError as error:
        raise InvalidArgument("no rootfs found: the archive has no folder rootfs") from error


def _pack(place: Path) -> tuple[Descriptor, Digest]:
    """Write the layer of a plugin's root; return its descriptor and diff id."""
    temporary, top = place / "layer", os.open(place / ROOTFS, FOLDER)
    try:
        with packed(top, overlay=False) as archive, temporary.open("wb") as file:
            plain = Decompressed(archive)
            compressing = Compressing(plain, file)
            while compressing.read(_PIECE):
                pass
            compressing.finish()
    finally:
        os.close(top)
    with temporary.open("rb") as file:
        digest, size = _digest_of_file(file.read), temporary.stat().st_size
    temporary.rename(place / hex_of(digest))
    return {"mediaType": DOCKER_LAYER_GZIP, "digest": digest, "size": size}, plain.digest


def _digest_of_file(read: Callable[[int], bytes]) -> Digest:
    import hashlib  # noqa: PLC0415  # for who makes a plugin alone

    found = hashlib.sha256()
    while data := read(_PIECE):
        found.update(data)
    return Digest(f"sha256:{found.hexdigest()}")


def unpack_blobs(place: Path, layers: Sequence[Descriptor]) -> None:
    """Make the root of a plugin whose layers, the lowest first, are in ``place`` as verified blobs; blocking.

    Raises:
        InvalidArgument: an archive is corrupt or refused.
    """
    root = place / ROOTFS
    root.mkdir()
    folders = [root] if len(layers) == 1 else [place.parent / f"layer-{number}" for number in range(len(layers))]
    for folder, layer in zip(folders, layers, strict=True):
        folder.mkdir(exist_ok=True)
        top = os.open(folder, FOLDER)
        try:
            with (place / hex_of(layer["digest"])).open("rb") as blob:
                unpack(Decompressed(blob), top)
        finally:
            os.close(top)
    if len(layers) > 1:
        put_together([*reversed(folders)], root)


def image_of(data: DataRoot, plugin_id: str, manifest: Digest) -> Path:
    """Return the folder of a plugin's image."""
    return data.plugin(plugin_id) / hex_of(manifest)


def keep(data: DataRoot, plugin_id: str, place: Path, manifest: Digest) -> None:
    """Move a draft to where a plugin has its image, durably; blocking."""
    home = data.plugin(plugin_id)
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    target = home / hex_of(manifest)
    sync_system(place)
    if target.exists():  # the same again: an upgrade to what it was gives it a fresh root
        exchange(place, target)
    else:
        place.rename(target)
    fsync_folder(home)


def leave(data: DataRoot, plugin_id: str, manifest: Digest | None) -> None:
    """Remove all images of a plugin but one, or the whole plugin when there is none to leave; blocking.

    What is removed was before an upgrade, or is of a change that was cut short.
    """
    if manifest is None:
        trees.remove(data.plugin(plugin_id), data.ingest)
        return
    for child in data.plugin(plugin_id).iterdir():
        if child.name not in (PROPAGATED, hex_of(manifest)):
            trees.remove(child, data.ingest)


def sweep(data: DataRoot, known: Sequence[tuple[str, Digest]]) -> None:
    """Remove what belongs to no plugin; blocking."""
    if not data.plugins.exists():
        return
    manifests = dict(known)
    for child in list(data.plugins.iterdir()):
        leave(data, child.name, manifests.get(child.name))
