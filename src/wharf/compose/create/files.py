"""Secrets and configs that are copied into a container: one tar archive, with owner and mode as asked for."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass

from wharf.compose.create.mounts import is_injected, target_of
from wharf.compose.model.mounts import FileReference
from wharf.compose.model.project import FileObject, Project
from wharf.compose.model.service import Service
from wharf.errors import InvalidArgument

_DEFAULT_MODE = 0o444


@dataclass(frozen=True, slots=True)
class Injected:
    """A file that is put into a container."""

    path: str
    content: bytes
    uid: int
    gid: int
    mode: int


def injected_files(project: Project, service: Service, read: Callable[[str], bytes]) -> list[Injected]:
    """Return the files to copy into a new container of ``service``.

    Args:
        project: Has the secrets, configs and variables.
        service: Uses them.
        read: Returns a file's bytes.

    Raises:
        InvalidArgument: a variable is not set, an owner is no number, or the container's root is read-only.
    """
    found = []
    for kind, uses, sources, folder in (
        ("secret", service.secrets, project.secrets, "/run/secrets/"),
        ("config", service.configs, project.configs, "/"),
    ):
        for use in uses:
            source = sources[use.source]
            if not is_injected(source, use):
                continue
            if service.read_only:
                raise InvalidArgument(
                    f'cannot create {kind} "{source.name}" in read-only service {service.name}: '
                    "`file` is the sole supported option"
                )
            content = _content(project, source, kind, read)
            path = target_of(use, f"{folder}{use.source}")
            mode = _DEFAULT_MODE if use.mode is None else int(use.mode)
            found.append(Injected(path, content, _number(use, "uid"), _number(use, "gid"), mode))
    return found


def _content(project: Project, source: FileObject, kind: str, read: Callable[[str], bytes]) -> bytes:
    if source.file:
        return read(source.file)
    if source.environment:
        value = project.environment.get(source.environment)
        if value is None:
            said = f'environment variable "{source.environment}" required by {kind} "{source.name}" is not set'
            raise InvalidArgument(said)
        return value.encode("utf-8", "surrogateescape")
    return source.content.encode()


def _number(use: FileReference, which: str) -> int:
    text = use.uid if which == "uid" else use.gid
    if text and not text.isdigit():
        raise InvalidArgument(f"invalid {which} {text!r} of {use.source}: must be a number")
    return int(text or 0)


def archive(files: list[Injected]) -> bytes:
    """Return a tar archive to unpack at the container's root."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for file in files:
            entry = tarfile.TarInfo(file.path.lstrip("/"))
            entry.size, entry.mode, entry.uid, entry.gid = len(file.content), file.mode, file.uid, file.gid
            tar.addfile(entry, io.BytesIO(file.content))
    return out.getvalue()
