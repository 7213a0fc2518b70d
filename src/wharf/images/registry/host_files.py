"""What an administrator says of one registry: ``certs.d/<host[:port]>/hosts.toml``, in containerd's form.

::

    server = "https://registry.example.org"        # the registry itself: pushes go there, pulls in the end
    [host."https://mirror.example.org:5000"]       # asked before it, in the order of the file
      capabilities = ["pull", "resolve"]           # "resolve": tags too; without it only digests
      ca = ["ca.pem"]                              # authorities; relative to this file, as the others
      client = [["client.cert", "client.key"]]
      skip_verify = false
      override_path = false                        # the address has all of the API's path
      [host."https://mirror.example.org:5000".header]
        x-team = "web"

The field names are containerd's (docs/hosts.md). What is not understood is refused: a misspelt field would leave a
registry asked in another way than its administrator thinks.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.images.registry.host import Host, address_parts

FILE: Final = "hosts.toml"
_ANY: Final = "_default"
_PULL, _RESOLVE = "pull", "resolve"
_MAX_BYTES: Final = 1024 * 1024


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to talk to one address."""

    capabilities: tuple[str, ...] = (_PULL, _RESOLVE)
    ca: str | tuple[str, ...] = ()
    client: str | tuple[str | tuple[str, ...], ...] = ()
    skip_verify: bool = False
    override_path: bool = False
    header: dict[str, str | tuple[str, ...]] = {}


class _File(_Entry, frozen=True, forbid_unknown_fields=True):
    """The file: what stands outside of a host is the server's."""

    server: str = ""
    host: dict[str, _Entry] = {}


@dataclass(frozen=True, slots=True)
class HostFile:
    """What a file says: the registry itself (None: where its name leads), and its mirrors."""

    server: Host | None
    mirrors: tuple[Host, ...]


def host_file_of(domain: str, folders: tuple[Path, ...]) -> HostFile | None:
    """Return what there is for a registry (``docker.io``, ``host[:port]``), in the first folder that has a file.

    ``_default`` stands for every registry that has no file of its own.

    Raises:
        InvalidArgument: a file is malformed; the message names it.
        NotImplementedHere: it asks for something that cannot be done.
    """
    for name in (domain, _ANY):
        for folder in folders:
            path = folder / name / FILE
            try:
                with path.open("rb") as file:
                    raw = file.read(_MAX_BYTES)
            except (FileNotFoundError, NotADirectoryError):
                continue
            return parse_host_file(raw, path)
    return None


def parse_host_file(raw: bytes, path: Path) -> HostFile:
    """Return what a file says. Pure, but for looking where its names lead; raises as :func:`host_file_of`."""
    try:
        document = msgspec.convert(tomllib.loads(raw.decode()), _File)
        mirrors = tuple(_host(address, entry, path, mirror=True) for address, entry in document.host.items())
        _check_server(document)
        server = _host(document.server, document, path, mirror=False) if document.server else None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise InvalidArgument(f"{path}: {error}") from error
    except (InvalidArgument, NotImplementedHere) as error:
        raise type(error)(f"{path}: {error}") from error
    return HostFile(server, mirrors)


def _check_server(document: _File) -> None:
    """Refuse what is said of a server that is not named, for it would change nothing."""
    said = [name for name in _Entry.__struct_fields__ if getattr(document, name) != getattr(_Entry(), name)]
    if said and not document.server:
        raise InvalidArgument(f"{said[0]} stands outside of a host, and needs a server beside it")


def _host(address: str, entry: _Entry, path: Path, *, mirror: bool) -> Host:
    parts = address_parts(address if "://" in address else f"https://{address}", "host")
    prefix = parts.path.rstrip("/")
    if not mirror and (prefix or entry.override_path):
        raise NotImplementedHere("a path in the address of the server is not supported by this build of wharf")
    return Host(
        parts.netloc,
        (parts.scheme,),
        verified=not entry.skip_verify,
        mirror=mirror,
        prefix=prefix,
        whole_path=entry.override_path,
        resolves=_resolves(entry, mirror=mirror),
        authorities=tuple(path.parent / one for one in _texts(entry.ca)),
        own=tuple(_pair(one, path.parent) for one in _texts_or_pairs(entry.client)),
        headers=tuple((name, ", ".join(_texts(values))) for name, values in entry.header.items()),  # RFC 9110, 5.3
    )


def _resolves(entry: _Entry, *, mirror: bool) -> bool:
    for capability in entry.capabilities:
        if capability not in (_PULL, _RESOLVE, "push"):
            raise InvalidArgument(f'"{capability}" is no capability: there are pull, resolve and push')
        if capability == "push" and mirror:
            raise NotImplementedHere("pushes to a mirror are not supported by this build of wharf: name a server")
    if _PULL not in entry.capabilities:
        raise NotImplementedHere("a host without the capability to pull is not supported by this build of wharf")
    return _RESOLVE in entry.capabilities


def _texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _texts_or_pairs(value: str | tuple[str | tuple[str, ...], ...]) -> tuple[str | tuple[str, ...], ...]:
    return (value,) if isinstance(value, str) else value


def _pair(value: str | tuple[str, ...], folder: Path) -> tuple[Path, Path]:
    """Return certificate and key: one file may hold both."""
    match value:
        case str(both) | (str(both),):
            return folder / both, folder / both
        case (str(certificate), str(key)):
            return folder / certificate, folder / (key or certificate)
    raise InvalidArgument("client must be a file with certificate and key, or pairs of a certificate and its key")
