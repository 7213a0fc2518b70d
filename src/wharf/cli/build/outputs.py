"""Where a build's result goes: ``--output``, ``--push``, ``--tag`` (docker buildx build, "--output")."""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from wharf.cli.build import layouts
from wharf.cli.copy.rules import Plan
from wharf.client.documents import as_document
from wharf.client.drafts import whole_file
from wharf.errors import InvalidArgument
from wharf.lib.light_json import loads

_TO_CLIENT = ("local", "tar", "oci", "docker")
_STORED = ("image", "registry")
_CHUNK = 1 << 20
_FALSE = ("0", "f", "F", "false", "FALSE", "False")
_STORE = "export"  # what the engine calls the folder that it writes a layout to
_IMAGE_NAME = "io.containerd.image.name"
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Output:
    """One place for the result."""

    kind: str  # image, local, tar, oci, docker
    destination: str = ""  # a folder, a file, or - for standard output
    attributes: dict[str, str] = field(default_factory=dict)
    mirrored: bool = False  # of a folder: what is not in the result goes

    @property
    def exporter(self) -> tuple[str, dict[str, str]]:
        """What the engine is asked for; a folder is sent as an archive, and unpacked here."""
        kinds = {"image": "moby", "local": "tar"}
        return kinds.get(self.kind, self.kind), self.attributes

    @property
    def is_layout(self) -> bool:
        """Whether it is an image layout, to whose folder the engine writes blobs."""
        return self.kind in ("oci", "docker") and self.attributes.get("tar") in _FALSE

    @property
    def is_sent(self) -> bool:
        """Whether the result comes here as bytes."""
        return self.kind in _TO_CLIENT and not self.is_layout


def parse_outputs(
    texts: Sequence[str],
    tags: Sequence[str],
    *,
    push: bool,
    load: bool = False,
    annotations: Mapping[str, str] = _NOTHING,
) -> list[Output]:
    """Return where to: into the engine's store unless told otherwise.

    Args:
        texts: as they were typed.
        tags: names of images.
        push: whether images are pushed.
        load: whether an image is kept besides other outputs.
        annotations: options of what makes images.

    Raises:
        InvalidArgument: an output is malformed.
    """
    outputs = [_parse(text) for text in texts]
    if not outputs or (load and all(output.kind != "image" for output in outputs)):
        outputs.append(Output("image"))
    named = []
    for output in outputs:
        attributes = dict(output.attributes)
        if output.kind not in ("local", "tar"):
            attributes |= annotations
        if output.kind not in ("local", "tar") and tags:
            attributes.setdefault("name", ",".join(tags))
        if push and output.kind == "image":
            attributes["push"] = "true"
        named.append(replace(output, attributes=attributes))
    if push and not any(one.attributes.get("push") for one in named):
        raise InvalidArgument("--push is for images: use it with --output type=image, or alone")
    return named


def _parse(text: str) -> Output:
    fields = next(csv.reader([text]), [])
    if len(fields) == 1 and "=" not in fields[0]:
        return Output("tar", "-") if text == "-" else Output("local", text)
    attributes: dict[str, str] = {}
    for one in fields:
        name, equals, value = one.partition("=")
        if not equals:
            raise InvalidArgument(f"invalid value {one}: an output is a list of key=value, with commas between")
        attributes[name.strip().lower()] = value
    kind, destination = attributes.pop("type", ""), attributes.pop("dest", "")
    if kind not in (*_TO_CLIENT, *_STORED):
        raise InvalidArgument(f"invalid output type {kind!r}: it is {', '.join((*_STORED, *_TO_CLIENT))}")
    if kind == "registry":
        kind, attributes["push"] = "image", "true"
    if kind == "local" and not destination:
        raise InvalidArgument("dest is required for local output")
    if attributes.get("tar") in _FALSE and not destination:
        raise InvalidArgument(f"dest is required for {kind} output with tar=false")
    if kind in _TO_CLIENT and not destination:
        destination = "-"
    mode = attributes.pop("mode", "copy") if kind == "local" else "copy"
    if mode not in ("copy", "delete"):
        raise InvalidArgument(f'invalid local exporter mode "{mode}": it is copy or delete')
    return Output(kind, destination, attributes, mode == "delete")


def stores_of(outputs: Sequence[Output]) -> dict[str, str]:
    """Return the folder that the engine writes a layout to, by its name for that.

    Raises:
        InvalidArgument: there are two: it can tell no more than one.
    """
    folders = [output.destination for output in outputs if output.is_layout]
    if len(folders) > 1:
        raise InvalidArgument("only one output can be an image layout (tar=false)")
    return {_STORE: os.path.abspath(folders[0])} if folders else {}


def enter_layouts(outputs: Sequence[Output], told: Mapping[str, str]) -> None:
    """Enter what the engine tells of an image in the index of the layout that it has written."""
    for output in outputs:
        if output.is_layout and (descriptor := told.get("containerimage.descriptor")):
            manifest = as_document(loads(b64decode(descriptor).decode()))
            names = [one for one in told.get("image.name", "").split(",") if one]
            called = [{_IMAGE_NAME: name, layouts.REF_NAME: _tag(name)} for name in names]
            layouts.enter(output.destination, manifest, called or [{layouts.REF_NAME: "latest"}])


def _tag(name: str) -> str:
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag or "latest"


@contextmanager
def opened(outputs: Sequence[Output]) -> Iterator[dict[int, BinaryIO]]:
    """Open what takes results, by their numbers; what is no result after all goes again.

    Raises:
        InvalidArgument: a file cannot be written, or a terminal would get an archive.
    """
    with ExitStack() as stack:
        files = {number: stack.enter_context(_file(one)) for number, one in enumerate(outputs) if one.is_sent}
        yield files
        for number, output in enumerate(outputs):
            if number in files:
                _keep(output, files[number])


@contextmanager
def _file(output: Output) -> Iterator[BinaryIO]:
    if output.destination == "-":
        if sys.stdout.isatty():
            raise InvalidArgument(f"dest file is required for {output.kind} output. refusing to write to console")
        yield sys.stdout.buffer
        return
    if output.kind == "local":
        with tempfile.TemporaryFile() as unpacked_later:
            yield unpacked_later
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(_file_at(output.destination))
        except OSError as error:
            raise InvalidArgument(f"open {output.destination}: {(error.strerror or '').lower()}") from error
        yield file


@contextmanager
def _file_at(path: str) -> Iterator[BinaryIO]:
    """Open what is no file, a device or a pipe, as it is; a file is replaced by a whole one."""
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as special:
            yield special
    else:
        with whole_file(os.path.realpath(path)) as file:
            yield file


def _keep(output: Output, file: BinaryIO) -> None:
    """Put into its place what does not get there by itself."""
    file.flush()
    if output.kind == "local":
        from wharf.cli.build.mirroring import remove_others  # noqa: PLC0415  # tarfile is heavy
        from wharf.cli.copy.unpacking import Chunks, unpack  # noqa: PLC0415

        os.makedirs(output.destination, exist_ok=True)
        file.seek(0)
        if output.mirrored:
            remove_others(file, output.destination)
            file.seek(0)
        unpack(Chunks(iter(lambda: file.read(_CHUNK), b"")), Plan(output.destination), owners=os.geteuid() == 0)
