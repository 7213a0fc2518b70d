"""docker load: archives of docker save, old and new, and OCI image layouts; compressed in any way, or not.

An archive's files may come in any order, so they are put aside first, hashed on the way; then what its documents
refer to is checked and taken in. Nothing is named before the whole archive has proved good.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from wharf.errors import InvalidArgument
from wharf.images.catalog import CONTAINERD_NAME
from wharf.images.intake import Intake, Layer
from wharf.images.record import ImageRecord, decode_object, host_architecture, parse_manifest, without_nulls
from wharf.lib.digest import Digest, hex_of, parse_digest
from wharf.lib.reference import Reference, parse_reference
from wharf.spec.oci_image import DOCKER_INDEX, OCI_INDEX, REF_NAME
from wharf.storage.compression import Decompressed
from wharf.storage.content import Writer
from wharf.storage.tar_entry import Kind
from wharf.storage.tar_reader import Source, TarReader

_MAX_FILES: Final = 10_000
_MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
_MAX_LINKS: Final = 8
_MAX_INDEXES: Final = 8
_INDEXES: Final = (OCI_INDEX, DOCKER_INDEX)


@dataclass(frozen=True, slots=True)
class Loaded:
    """An image of an archive, and what the archive calls it."""

    record: ImageRecord
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An image as an archive describes it: files by name."""

    config: str
    layers: tuple[str, ...]
    references: tuple[Reference, ...]
    manifest: bytes | None = None


def load(source: Source, intake: Intake, now: Callable[[], str]) -> list[Loaded]:
    """Take in every image of an archive; blocking.

    Raises:
        InvalidArgument: the archive is corrupt, holds no image, or an image of it is malformed.
    """
    files = _Files(intake)
    files.read(source)
    layers: dict[tuple[str, ...], Layer] = {}  # by name and what it lies on: each place has a folder of its own
    ready: list[tuple[_Wanted, list[Layer]]] = []
    for wanted in _wanted(files):
        places = [wanted.layers[:count] for count in range(1, len(wanted.layers) + 1)]
        for place in places:
            if place not in layers:
                layers[place] = intake.layer_of(files.writer(place[-1]))
        ready.append((wanted, [layers[place] for place in places]))
    for wanted, own in ready:  # all of them, before the first one enters
        intake.check(files.document(wanted.config), own, wanted.manifest)
    return [
        Loaded(
            intake.commit(files.document(wanted.config), own, wanted.references, now(), wanted.manifest),
            wanted.references,
        )
        for wanted, own in ready
    ]


class _Files:
    """The archive's files, put aside."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._files: dict[str, Writer] = {}
        self._links: dict[str, str] = {}

    def read(self, source: Source) -> None:
        plain = Decompressed(source)
        reader = TarReader(plain)
        for entry in reader:
            name = posixpath.normpath(entry.name.decode("utf-8", "surrogateescape"))
            if len(self._files) + len(self._links) > _MAX_FILES:
                raise InvalidArgument("invalid archive: it has too many files to be images")
            if entry.kind is Kind.FILE and entry.extents is None:
                writer = self._intake.writer()
                for _, data in reader.pieces():
                    writer.write(data)
                writer.finish()
                self._files[name] = writer
            elif entry.kind in (Kind.SYMLINK, Kind.HARDLINK):  # how docker save < 25 wrote a layer twice
                base = posixpath.dirname(name) if entry.kind is Kind.SYMLINK else ""
                self._links[name] = posixpath.normpath(
                    posixpath.join(base, entry.target.decode("utf-8", "surrogateescape"))
                )
        plain.drain()

    def __contains__(self, name: str) -> bool:
        return self._resolve(name) in self._files

    def _resolve(self, name: str) -> str:
        for _ in range(_MAX_LINKS):
            if name not in self._links:
                break
            name = self._links[name]
        return name

    def writer(self, name: str) -> Writer:
        writer = self._files.get(self._resolve(posixpath.normpath(name)))
        if writer is None:
            raise InvalidArgument(f"invalid archive: it refers to {name}, which is not in it")
        return writer

    def document(self, name: str) -> bytes:
        writer = self.writer(name)
        if writer.size > _MAX_DOCUMENT_BYTES:
            raise InvalidArgument(f"invalid archive: {name} is too large")
        return writer.path.read_bytes()

    def blob(self, digest: str) -> str:
        """Return the name of a blob of an image layout, whose bytes must be what the name says."""
        name = f"blobs/sha256/{hex_of(parse_digest(digest))}"
        if self.writer(name).digest != digest:
            raise InvalidArgument(f"invalid archive: blob {digest} has other bytes")
        return name


def _wanted(files: _Files) -> list[_Wanted]:
    """Return the archive's images. Its image layout comes first: only that keeps a manifest's digest."""
    wanted: list[_Wanted] = []
    if "oci-layout" in files and "index.json" in files:
        wanted = list(_of_layout(files))
    if not wanted and "manifest.json" in files:
        wanted = list(_of_docker(files))
    if not wanted:
        raise InvalidArgument("unrecognized image format: the archive has neither manifest.json nor an image layout")
    return wanted


def _of_docker(files: _Files) -> Iterable[_Wanted]:
    raw = files.document("manifest.json")
    items = decode_object(b'{"manifests":' + raw + b"}", "manifest.json")["manifests"]
    for item in items if isinstance(items, list) else [items]:
        match item:
            case {"Config": str(config), "Layers": [*layers]} if all(isinstance(layer, str) for layer in layers):
                tags = item.get("RepoTags") or []
                yield _Wanted(
                    config, tuple(layers), tuple(parse_reference(str(tag)).with_default_tag() for tag in tags)
                )
            case _:
                raise InvalidArgument("invalid manifest.json: an image needs Config and Layers")


def _of_layout(files: _Files) -> Iterable[_Wanted]:
    """Yield the images that index.json names, one for each manifest."""
    named: dict[Digest, list[Reference]] = {}
    pending = [(files.document("index.json"), list[Reference](), 0)]
    while pending:
        raw, inherited, depth = pending.pop(0)
        for descriptor in _descriptors(raw, nested=depth > 0):
            digest = parse_digest(str(descriptor.get("digest")))
            references = inherited or _references(descriptor.get("annotations"))
            if descriptor.get("mediaType") in _INDEXES:
                if depth == _MAX_INDEXES:
                    raise InvalidArgument("invalid archive: its indexes are nested too deep")
                pending.append((files.document(files.blob(digest)), references, depth + 1))
            else:
                named.setdefault(digest, []).extend(references)
    for digest, references in named.items():
        manifest = files.document(files.blob(digest))
        parsed = parse_manifest(manifest)
        layers = tuple(files.blob(layer["digest"]) for layer in parsed["layers"])
        unique = tuple(dict.fromkeys(references))
        yield _Wanted(files.blob(parsed["config"]["digest"]), layers, unique, manifest)


def _descriptors(raw: bytes, *, nested: bool) -> list[dict[str, Any]]:
    """Return an index's descriptors; of one image for several platforms only this machine's."""
    index = without_nulls(decode_object(raw, "image index"))
    found = index.get("manifests", [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise InvalidArgument("invalid image index: manifests is not a list of descriptors")
    return [item for item in found if not nested or _fits(item.get("platform"))]


def _fits(platform: object) -> bool:
    if not isinstance(platform, dict):
        return True
    return platform.get("os") == "linux" and platform.get("architecture") == host_architecture()


def _references(annotations: object) -> list[Reference]:
    """Return what an index calls an image: its full name, or a ref.name that is one (a bare tag is not)."""
    if not isinstance(annotations, dict):
        return []
    name = annotations.get(CONTAINERD_NAME) or annotations.get(REF_NAME)
    if not isinstance(name, str) or not (set(name) & set("/:")):
        return []
    return [parse_reference(name).with_default_tag()]
