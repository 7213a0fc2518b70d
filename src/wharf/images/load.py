"""docker load: archives of docker save, old and new, and OCI image layouts; compressed in any way, or not.

An archive's files may come in any order, so they are put aside first, hashed on the way; then what its documents
refer to is checked and taken in. Nothing is named before the whole archive has proved good.
"""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from wharf.errors import InvalidArgument, NotFound
from wharf.images.index import INDEXES, images_in, is_index, parse_index
from wharf.images.intake import Intake, Layer
from wharf.images.lookup import CONTAINERD_NAME
from wharf.images.media_types import require_image
from wharf.images.platform import Platform, acceptable, choose, host
from wharf.images.record import ImageRecord, decode_object, parse_config, parse_manifest, platform_of_config
from wharf.lib.digest import Digest, hex_of, parse_digest
from wharf.lib.reference import Reference, parse_reference
from wharf.spec.oci_image import REF_NAME, Index
from wharf.storage.compression import Decompressed
from wharf.storage.content import Writer
from wharf.storage.tar_entry import Kind
from wharf.storage.tar_reader import Source, TarReader
from wharf.storage.unpacking.workers import LEAST_BYTES

_MAX_FILES: Final = 10_000
_MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
_MAX_LINKS: Final = 8
_MAX_INDEXES: Final = 8
_AT_ONCE: Final = 2


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
    target: Digest | None = None  # the index that the references name
    index: tuple[str, ...] = ()  # what the index leads to and is in the archive


def load(source: Source, intake: Intake, now: Callable[[], str], platforms: Sequence[Platform] = ()) -> list[Loaded]:
    """Take in every image of an archive; blocking.

    Args:
        source: the archive.
        intake: where it goes.
        now: gives the time, RFC 3339.
        platforms: only the images for these; none: all that there are.

    Raises:
        InvalidArgument: the archive is corrupt, holds no image, or an image of it is malformed.
        NotFound: there is none for one of ``platforms``.
    """
    with ThreadPoolExecutor(_AT_ONCE, "wharf-load") as pool:  # ends before the intake does, whatever happens
        try:
            return _load(source, intake, now, platforms, pool)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _load(
    source: Source, intake: Intake, now: Callable[[], str], platforms: Sequence[Platform], pool: ThreadPoolExecutor
) -> list[Loaded]:
    files = _Files(intake, pool)
    files.read(source)
    layers: dict[tuple[str, ...], Layer] = {}  # by name and what it lies on: each place has a folder of its own
    ready: list[tuple[_Wanted, bytes, list[Layer]]] = []
    for wanted in _for_platforms(files, _wanted(files), platforms):
        places = [wanted.layers[:count] for count in range(1, len(wanted.layers) + 1)]
        for place in places:
            if place not in layers:
                layers[place] = files.layer(place[-1])
        ready.append((wanted, files.document(wanted.config), [layers[place] for place in places]))
    for wanted, config, own in ready:  # all of them, before the first one enters
        intake.check(config, own, wanted.manifest)
    return [
        Loaded(
            intake.commit(
                config,
                own,
                wanted.references,
                now(),
                manifest=wanted.manifest,
                target=wanted.target,
                besides=[files.writer(name) for name in wanted.index],
            ),
            wanted.references,
        )
        for wanted, config, own in ready
    ]


def _for_platforms(files: _Files, wanted: list[_Wanted], platforms: Sequence[Platform]) -> list[_Wanted]:
    if not platforms:
        return wanted
    own = [platform_of_config(parse_config(files.document(one.config))) for one in wanted]
    for platform in platforms:
        if not set(acceptable(platform)) & set(own):
            raise NotFound(f"the archive holds no image for the platform {platform}")
    suitable = {one for platform in platforms for one in acceptable(platform)}
    return [one for one, platform in zip(wanted, own, strict=True) if platform in suitable]


class _Files:
    """The archive's files, put aside."""

    def __init__(self, intake: Intake, pool: ThreadPoolExecutor) -> None:
        self._intake = intake
        self._pool = pool
        self._begun: dict[str, Future[Layer]] = {}
        self._files: dict[str, Writer] = {}
        self._links: dict[str, str] = {}

    def read(self, source: Source) -> None:
        plain = Decompressed(source)
        plain.leave_unhashed()
        reader = TarReader(plain)
        for entry in reader:
            name = posixpath.normpath(entry.name.decode("utf-8", "surrogateescape"))
            if len(self._files) + len(self._links) > _MAX_FILES:
                raise InvalidArgument("invalid archive: it has too many files to be images")
            if entry.kind is Kind.FILE and entry.extents is None:
                self._file(name, entry.size, reader)
            elif entry.kind in (Kind.SYMLINK, Kind.HARDLINK):  # how docker save < 25 wrote a layer twice
                base = posixpath.dirname(name) if entry.kind is Kind.SYMLINK else ""
                self._links[name] = posixpath.normpath(
                    posixpath.join(base, entry.target.decode("utf-8", "surrogateescape"))
                )
        plain.drain()

    def _file(self, name: str, size: int, reader: TarReader) -> None:
        self._files[name] = writer = self._intake.writer()
        if size >= LEAST_BYTES:  # what is so large is a layer: it is unpacked while it, and the rest, is read
            self._begun[name] = self._pool.submit(self._intake.layer_of, writer)
        try:
            for _, data in reader.pieces():
                writer.write(data)
        except BaseException:
            writer.abort()  # whoever follows it waits for more
            raise
        writer.finish()

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

    def layer(self, name: str) -> Layer:
        """Return a layer; each call gives one of its own."""
        writer = self.writer(name)
        begun = self._begun.pop(self._resolve(posixpath.normpath(name)), None)
        return begun.result() if begun is not None else self._intake.layer_of(writer)

    def document(self, name: str) -> bytes:
        writer = self.writer(name)
        if writer.size > _MAX_DOCUMENT_BYTES:
            raise InvalidArgument(f"invalid archive: {name} is too large")
        return writer.path.read_bytes()

    def has_blob(self, digest: str) -> bool:
        return f"blobs/sha256/{hex_of(digest)}" in self

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
        match {**item, "Layers": item.get("Layers") or []} if isinstance(item, dict) else item:  # of none: null
            case {"Config": str(config), "Layers": [*layers]} if all(isinstance(layer, str) for layer in layers):
                tags = item.get("RepoTags") or []
                yield _Wanted(
                    config, tuple(layers), tuple(parse_reference(str(tag)).with_default_tag() for tag in tags)
                )
            case _:
                raise InvalidArgument("invalid manifest.json: an image needs Config and Layers")


def _of_layout(files: _Files) -> Iterable[_Wanted]:
    """Yield the images that index.json names: of an index of its own, each platform's that is in the archive."""
    named: dict[Digest, list[Reference]] = {}
    indexes: dict[Digest, bool] = {}
    for descriptor in parse_index(files.document("index.json")).get("manifests", []):
        digest = Digest(descriptor["digest"])
        named.setdefault(digest, []).extend(_references(descriptor.get("annotations")))
        indexes[digest] = descriptor.get("mediaType") in INDEXES
    for digest, found in named.items():
        references = tuple(dict.fromkeys(found))
        if indexes[digest]:
            yield from _of_index(files, digest, references)
        else:
            yield _of_manifest(files, digest, references)


def _of_manifest(files: _Files, digest: Digest, references: tuple[Reference, ...]) -> _Wanted:
    manifest = files.document(files.blob(digest))
    parsed = parse_manifest(manifest)
    require_image(parsed, references[0].familiar if references else digest)
    layers = tuple(files.blob(layer["digest"]) for layer in parsed["layers"])
    return _Wanted(files.blob(parsed["config"]["digest"]), layers, references, manifest)


def _of_index(files: _Files, target: Digest, references: tuple[Reference, ...]) -> Iterable[_Wanted]:
    reached = list(_reached(files, target))
    present = [one for _, index in reached if index for one in images_in(index) if files.has_blob(one["digest"])]
    if not present:
        raise InvalidArgument(f"invalid archive: no image of its index {target} is in it")
    best = choose(present, host()) or present[0]
    also = tuple(dict.fromkeys(name for name, _ in reached))
    others = dict.fromkeys(Digest(other["digest"]) for other in present if other["digest"] != best["digest"])
    yield replace(_of_manifest(files, Digest(best["digest"]), references), target=target, index=also)
    for other in others:
        yield _of_manifest(files, other, ())


def _reached(files: _Files, target: Digest) -> Iterator[tuple[str, Index | None]]:
    """Yield the files that an index leads to, itself first, with what they say when they are indexes; each once."""
    pending = deque([(target, 0)])
    seen: set[Digest] = set()
    while pending:
        digest, depth = pending.popleft()
        if digest in seen:
            continue
        seen.add(digest)
        name = files.blob(digest)
        raw = files.document(name)
        if not is_index(raw):
            yield name, None
            manifest = parse_manifest(raw)
            for one in (manifest["config"], *manifest["layers"]):
                if files.has_blob(one["digest"]):
                    yield files.blob(one["digest"]), None
            continue
        if depth == _MAX_INDEXES:
            raise InvalidArgument("invalid archive: its indexes are nested too deep")
        index = parse_index(raw)
        yield name, index
        pending += [(Digest(m["digest"]), depth + 1) for m in index["manifests"] if files.has_blob(m["digest"])]


def _references(annotations: object) -> list[Reference]:
    """Return what an index calls an image: its full name, or a ref.name that is one (a bare tag is not)."""
    if not isinstance(annotations, dict):
        return []
    name = annotations.get(CONTAINERD_NAME) or annotations.get(REF_NAME)
    if not isinstance(name, str) or not (set(name) & set("/:")):
        return []
    return [parse_reference(name).with_default_tag()]
