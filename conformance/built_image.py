"""What an image is, in a form in which two builders' can be compared: configuration, history, files of layers."""

from __future__ import annotations

import io
import json
import posixpath
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest
from typing import Any, Final

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_LONG_AGO_S: Final = 1_500_000_000  # what is older was not written by this build
# What old builders leave of the container that they ran, and what says nothing.
_OF_CONTAINERS: Final = ("Hostname", "Domainname", "Image", "AttachStdin", "AttachStdout", "AttachStderr", "Tty",
                         "OpenStdin", "StdinOnce", "ArgsEscaped")  # fmt: skip

_REWRITTEN: Final = {"ARG", "EXPOSE", "HEALTHCHECK"}  # today with values, as Go prints other types
_FLAGS: Final = re.compile(r"(?<=^COPY )--\S+ |(?<=^ADD )--\S+ ")  # today they are in it

Files = Mapping[str, tuple[object, ...]]
"""By path: kind, mode, owner, group, what it holds or points to, extended attributes, a file's time if it is old."""


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image."""

    config: Mapping[str, object]  # as ``inspect`` tells it
    history: tuple[tuple[str, bool], ...]  # what made each layer, and whether there is one
    layers: tuple[Files, ...]

    def files(self) -> Files:
        """Return all files that a container of it sees."""
        found: dict[str, tuple[object, ...]] = {}
        for layer in self.layers:
            _lay(found, layer)
        return found


def image_of(inspected: Mapping[str, Any], saved: bytes) -> BuiltImage:
    """Return an image from what ``inspect`` and ``save`` give of it."""
    with tarfile.open(fileobj=io.BytesIO(saved)) as tar:
        members = {one.name: one for one in tar.getmembers()}
        manifest = json.loads(_content(tar, members, "manifest.json"))[0]
        document = json.loads(_content(tar, members, manifest["Config"]))
        layers = tuple(layer_of(_content(tar, members, name)) for name in manifest["Layers"])
    history = tuple(
        (one.get("created_by", ""), bool(one.get("empty_layer"))) for one in document.get("history") or ()
    )
    config = {key: value for key, value in inspected["Config"].items() if value and key not in _OF_CONTAINERS}
    return BuiltImage(config | {"os": inspected["Os"], "architecture": inspected["Architecture"]}, history, layers)


def _content(tar: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo], name: str) -> bytes:
    found = members[name]
    if found.issym():  # an archive of dockerd's has each layer once
        found = members[posixpath.normpath(posixpath.join(posixpath.dirname(name), found.linkname))]
    stream = tar.extractfile(found)
    assert stream is not None
    return stream.read()


def layer_of(archive: bytes) -> Files:
    """Return the files of a layer's archive, compressed or not."""
    found: dict[str, tuple[object, ...]] = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:*") as tar:
        for entry in tar:
            content = tar.extractfile(entry).read() if entry.isreg() else b""  # type: ignore[union-attr]
            found[entry.name.removeprefix("./").rstrip("/")] = _described(entry, content, found)
    return found


def _described(entry: tarfile.TarInfo, content: bytes, before: Files) -> tuple[object, ...]:
    if entry.islnk():
        target = entry.linkname.removeprefix("./").lstrip("/")
        return before.get(target, ("hard link", target))
    holds = sha256(content).hexdigest()[:12] if entry.isreg() else entry.linkname
    attributes = tuple(
        sorted((key, value) for key, value in entry.pax_headers.items() if key.startswith("SCHILY.xattr."))
    )
    if entry.name.rpartition("/")[2].startswith(_WHITEOUT):
        return ("whiteout",)
    kind = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link"}.get(
        entry.type, str(entry.type)
    )
    mode = 0o777 if entry.issym() else entry.mode & 0o7777
    # A folder's time is that of the last change in it, or of its source: builders differ.
    time = int(entry.mtime) if entry.mtime < _LONG_AGO_S and not entry.isdir() else ""
    return (kind, oct(mode), entry.uid, entry.gid, holds, attributes, time)


def _lay(found: dict[str, tuple[object, ...]], layer: Files) -> None:
    """Lay a layer over what is below it (OCI image-spec, layer.md "Whiteouts")."""
    for name in layer:
        folder, _, base = name.rpartition("/")
        if base == _OPAQUE:
            _drop_below(found, folder)
        elif base.startswith(_WHITEOUT):
            path = f"{folder}/{base.removeprefix(_WHITEOUT)}".lstrip("/")
            found.pop(path, None)
            _drop_below(found, path)
    for name, described in layer.items():
        if not name.rpartition("/")[2].startswith(_WHITEOUT):
            if described[0] != "folder":
                _drop_below(found, name)
            found[name] = described


def _drop_below(found: dict[str, tuple[object, ...]], folder: str) -> None:
    for name in [name for name in found if name.startswith(f"{folder}/")]:
        del found[name]


def config_differences(ours: BuiltImage, theirs: BuiltImage) -> Iterator[str]:
    """Yield in words what is not the same in two configurations."""
    for key in sorted({*ours.config, *theirs.config}):
        mine, other = ours.config.get(key), theirs.config.get(key)
        if mine != other:
            yield f"{key}: {json.dumps(mine)} is {json.dumps(other)} there"


def history_differences(ours: BuiltImage, theirs: BuiltImage) -> Iterator[str]:
    """Yield in words where two histories part."""
    for number, (mine, other) in enumerate(zip_longest(map(_written, ours.history), map(_written, theirs.history))):
        if mine != other:
            yield f"history {number}: {mine} is {other} there"


def _written(line: tuple[str, bool]) -> tuple[str, bool]:
    """Return a line of a history without what BuildKit's forms of 2020 and of today say differently."""
    text, empty = line
    keyword = text.partition(" ")[0]
    return keyword if keyword in _REWRITTEN else _FLAGS.sub("", text), empty


def file_differences(ours: Files, theirs: Files, where: str) -> Iterator[str]:
    """Yield in words which files are not the same."""
    for name in sorted({*ours, *theirs}):
        if ours.get(name) != theirs.get(name):
            yield f"{where}: {name!r}: {ours.get(name)} is {theirs.get(name)} there"


def layer_differences(ours: BuiltImage, theirs: BuiltImage) -> Iterator[str]:
    """Yield in words how the layers differ, one by one."""
    if len(ours.layers) != len(theirs.layers):
        yield f"{len(ours.layers)} layers are {len(theirs.layers)} there"
        return
    pairs = zip(_changes(ours.layers), _changes(theirs.layers), strict=True)
    for number, (mine, other) in enumerate(pairs):
        yield from file_differences(mine, other, f"layer {number}")


def _changes(layers: Sequence[Files]) -> Iterator[Files]:
    """Yield layers without the folders that are as they were below: whether one is mentioned says nothing."""
    below: dict[str, tuple[object, ...]] = {}
    for layer in layers:
        yield {name: one for name, one in layer.items() if one[0] != "folder" or below.get(name) != one}
        _lay(below, layer)
