"""``wharf context export`` and ``import``: a context as one file, as docker's own command line writes and reads it.

::

    meta.json                   the record
    tls/docker/{ca,cert,key}.pem

A tar archive, or a zip file of the same (docker docs, "docker context import").
"""

from __future__ import annotations

import io
import os
import sys
import tarfile
import zipfile

from wharf.cli.command import Command
from wharf.client.contexts import Contexts
from wharf.client.documents import as_document, text
from wharf.errors import Conflict, InvalidArgument
from wharf.lib.light_json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wharf.cli.command import Session
    from wharf.cli.flags import Values

_MOST_BYTES = 10 << 20
_META = "meta.json"
_TLS = "tls/docker/"
_FILES = ("ca.pem", "cert.pem", "key.pem")


def packed(record: Mapping[str, object], files: Mapping[str, bytes]) -> bytes:
    """Return a context as a tar archive, the same for the same context."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        named = {_META: dumps(dict(record)).encode(), **{_TLS + name: content for name, content in files.items()}}
        for name, content in named.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def unpacked(raw: bytes) -> tuple[dict[str, object], dict[str, bytes]]:
    """Return the record and the certificates of a context's archive.

    Raises:
        InvalidArgument: it is none, or holds what a context has not.
    """
    found = _of_zip(raw) if raw.startswith(b"PK") else _of_tar(raw)
    if unknown := sorted(found.keys() - {_META, *(_TLS + file for file in _FILES)}):
        raise InvalidArgument(f"invalid context file: unexpected entry {unknown[0]}")
    if _META not in found:
        raise InvalidArgument("invalid context file: no metadata found")
    try:
        record = as_document(loads(found[_META].decode()))
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"invalid context file: {_META}: {error}") from error
    return record, {name.removeprefix(_TLS): content for name, content in found.items() if name != _META}


def _of_tar(raw: bytes) -> dict[str, bytes]:
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as archive:
            for entry in archive:
                if entry.isreg() and (content := archive.extractfile(entry)) is not None:
                    found[entry.name] = content.read(_MOST_BYTES)
    except tarfile.TarError as error:
        raise InvalidArgument(f"invalid context file: {error}") from error
    return found


def _of_zip(raw: bytes) -> dict[str, bytes]:
    found = {}
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for entry in archive.infolist():
                if not entry.is_dir():
                    with archive.open(entry) as content:
                        found[entry.filename] = content.read(_MOST_BYTES)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InvalidArgument(f"invalid context file: {error}") from error
    return found


def _export(session: Session, _: Values, arguments: list[str]) -> int:
    name = arguments[0]
    contexts = Contexts(os.environ)
    record, folder = contexts.read(name), contexts.tls_folder(name)
    files = {}
    for file in _FILES if os.path.isdir(folder) else ():
        if os.path.exists(path := os.path.join(folder, file)):
            with open(path, "rb") as content:
                files[file] = content.read()
    raw = packed({key: value for key, value in record.items() if key != "Storage"}, files)
    target = arguments[1] if len(arguments) > 1 else f"{name}.dockercontext"
    if target == "-":
        if sys.stdout.isatty():
            raise InvalidArgument("cowardly refusing to export to a terminal, specify a file path")
        sys.stdout.buffer.write(raw)
        return 0
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise Conflict(f"{target} exists already") from error
    with os.fdopen(descriptor, "wb") as out:
        out.write(raw)
    session.warn(f'Written file "{target}"')
    return 0


def _import(session: Session, _: Values, arguments: list[str]) -> int:
    name, source = arguments
    if source == "-":
        raw = sys.stdin.buffer.read(_MOST_BYTES + 1)
    else:
        with open(source, "rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise InvalidArgument(f"invalid context file: it is longer than {_MOST_BYTES} bytes")
    record, files = unpacked(raw)
    if not text(record, "Endpoints", "docker", "Host"):
        raise InvalidArgument("invalid context file: it names no engine")
    contexts = Contexts(os.environ)
    contexts.write(name, {**record, "Name": name}, new=True)
    if files:
        contexts.store_tls(name, files)
    session.print(name)
    session.warn(f'Successfully imported context "{name}"')
    return 0


COMMANDS = (
    Command(
        "context export", _export, "Write a context to a file", arguments="CONTEXT [FILE|-]", count=(1, 2),
        examples=("wharf context export far", "wharf context export far - | ssh other wharf context import far -"),
    ),
    Command(
        "context import", _import, "Read a context from a file", arguments="CONTEXT FILE|-", count=(2, 2),
        examples=("wharf context import far far.dockercontext",),
    ),
)  # fmt: skip
