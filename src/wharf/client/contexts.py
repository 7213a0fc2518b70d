"""Docker's contexts: names for engines, kept below the configuration's folder.

::

    contexts/meta/<sha256 of the name>/meta.json                Name, Metadata, Endpoints.docker
    contexts/tls/<sha256 of the name>/docker/{ca,cert,key}.pem

The context ``default`` is not stored: it is the engine that is meant without any.
"""

from __future__ import annotations

import os

from wharf.client.address import TlsFiles
from wharf.client.config import config_folder, read_document, write_document
from wharf.client.documents import section, text
from wharf.errors import Conflict, InvalidArgument, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wharf.client.documents import Document

DEFAULT = "default"
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-")
_PEM = ("ca.pem", "cert.pem", "key.pem")


class Contexts:
    """The contexts of one configuration folder."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._folder = os.path.join(config_folder(environment), "contexts")

    def meta_folder(self, name: str) -> str:
        """Return where a context's record is."""
        return os.path.join(self._folder, "meta", _hash(name))

    def tls_folder(self, name: str) -> str:
        """Return where a context's certificates are."""
        return os.path.join(self._folder, "tls", _hash(name), "docker")

    def names(self) -> list[str]:
        """Return the names of the stored ones, sorted."""
        folder = os.path.join(self._folder, "meta")
        try:
            entries = os.listdir(folder)
        except FileNotFoundError:
            return []
        found = (text(read_document(os.path.join(folder, entry, "meta.json")), "Name") for entry in entries)
        return sorted(name for name in found if name)

    def read(self, name: str) -> Document:
        """Return a context's record; NotFound when there is none of that name."""
        document = read_document(os.path.join(self.meta_folder(name), "meta.json"))
        if not document:
            raise NotFound(f'context "{name}": context not found')
        return document

    def write(self, name: str, document: Document, *, new: bool) -> None:
        """Store a context.

        Raises:
            InvalidArgument: the name cannot be one.
            Conflict: there is one of that name, and a new one is meant.
        """
        check_name(name)
        path = os.path.join(self.meta_folder(name), "meta.json")
        if new and os.path.exists(path):
            raise Conflict(f'context "{name}" already exists')
        write_document(path, document)

    def store_tls(self, name: str, files: Mapping[str, bytes]) -> None:
        """Store a context's certificates, in place of those it had."""
        folder = self.tls_folder(name)
        _remove(folder, _PEM)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for file, content in files.items():
            path = os.path.join(folder, file)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as out:
                out.write(content)

    def remove(self, name: str) -> None:
        """Remove a context with its certificates; NotFound when there is none."""
        self.read(name)
        folder = self.tls_folder(name)
        _remove(folder, _PEM)
        _remove(os.path.dirname(folder), ())
        _remove(self.meta_folder(name), ("meta.json",))

    def endpoint(self, name: str) -> tuple[str, TlsFiles | None]:
        """Return a context's engine: its address, and how to speak TLS with it.

        Raises:
            NotFound: there is no such context.
            InvalidArgument: it names no engine.
        """
        docker = section(self.read(name), "Endpoints", "docker")
        host = text(docker, "Host")
        if not host:
            raise InvalidArgument(f'context "{name}" names no engine')
        folder = self.tls_folder(name)
        if not os.path.isdir(folder) or not os.listdir(folder):
            return host, None
        authority, certificate, key = (os.path.join(folder, file) for file in _PEM)
        return host, TlsFiles(authority, certificate, key, verify=not docker.get("SkipTLSVerify"))


def check_name(name: str) -> None:
    """Refuse what cannot name a context; InvalidArgument says why."""
    if name == DEFAULT:
        raise InvalidArgument('"default" is a reserved context name')
    if len(name) < 2 or not set(name) <= _LETTERS or not name[0].isalnum():
        raise InvalidArgument(
            f'context name "{name}" is invalid, names are validated against regexp "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$"'
        )


def _hash(name: str) -> str:
    from hashlib import sha256  # noqa: PLC0415  # only for who has contexts

    return sha256(name.encode()).hexdigest()


def _remove(folder: str, files: tuple[str, ...]) -> None:
    for file in files:
        path = os.path.join(folder, file)
        if os.path.lexists(path):
            os.unlink(path)
    if os.path.isdir(folder):
        os.rmdir(folder)
