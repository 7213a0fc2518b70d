"""Folders lent to an engine on this machine: what is in them, and descriptors of the files that it asks for.

The other side, with the protocol, is :mod:`wharf.build.session.lent`.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from itertools import islice

from wharf.cli.build.folders import Selection, followed, link_of
from wharf.client.client import Client
from wharf.client.documents import as_document, text, texts
from wharf.client.http1 import Wire
from wharf.errors import InvalidArgument, NotFound, WharfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.client.documents import Document

_PROTOCOL = "wharf-folders"
_BATCH = 512


async def lend(stack: AsyncExitStack, client: Client, session: str, folders: Mapping[str, str]) -> None:
    """Lend folders, by the names that the build has for them, until ``stack`` is closed.

    An engine on another machine is lent nothing, nor is one that does not ask so: both take folders over the session.
    """
    if not client.address.path or not folders:
        return
    try:
        wire = await asyncio.to_thread(
            lambda: client.hijack(f"/wharf/sessions/{session}/folders", protocol=_PROTOCOL)
        )
    except WharfError:
        return
    stack.callback(wire.close)
    serving = asyncio.ensure_future(asyncio.to_thread(serve, wire, folders))
    stack.push_async_callback(_ended, serving)
    stack.callback(wire.shut_down)


async def _ended(serving: asyncio.Future[None]) -> None:
    await asyncio.gather(serving, return_exceptions=True)


def serve(wire: Wire, folders: Mapping[str, str]) -> None:
    """Answer until the engine has had enough, or is gone; blocking."""
    try:
        while line := wire.read_line():
            try:
                _lend(wire, as_document(json.loads(line)), folders)
            except (InvalidArgument, NotFound) as error:
                _say(wire, {"error": str(error)})
            except OSError as error:
                if isinstance(error, ConnectionError):
                    raise
                _say(wire, {"error": f"{error.filename}: {(error.strerror or '').lower()}"})
    except (ConnectionError, WharfError):
        return  # the engine is gone, or has had enough
    finally:
        wire.shut_down()  # so that it does not wait for what does not come


def _lend(wire: Wire, asked: Document, folders: Mapping[str, str]) -> None:
    name = text(asked, "folder")
    folder = folders.get(name)
    if folder is None:
        raise NotFound(f"no access allowed to dir {name!r}")
    include = [*texts(asked, "include"), *followed(folder, texts(asked, "follow"))]
    entries = _entries(folder, Selection(include, texts(asked, "exclude")))
    files: list[str] = []
    while some := list(islice(entries, _BATCH)):
        files += [str(one[0]) for one in some]
        _say(wire, some)
    _say(wire, [])
    while numbers := _numbers(wire):
        _send(wire, [os.path.join(folder, files[number]) for number in numbers])


def _entries(folder: str, selection: Selection) -> Iterator[list[object]]:
    first: dict[tuple[int, int], str] = {}
    for path, status in selection.walk(folder):
        mode = status.st_mode
        if stat.S_ISSOCK(mode):
            continue
        size = status.st_size if stat.S_ISREG(mode) else 0
        device = status.st_rdev if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else 0
        yield [path, mode, size, status.st_mtime_ns, link_of(folder, path, status, first), device]


def _send(wire: Wire, paths: list[str]) -> None:
    """Open files and send their descriptors."""
    with ExitStack() as opened:
        fds = []
        for path in paths:
            try:
                fds.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW))
            except OSError as error:
                raise InvalidArgument(f"open {path}: {(error.strerror or '').lower()}") from error
            opened.callback(os.close, fds[-1])
        wire.send_descriptors(b"[]\n", fds)


def _numbers(wire: Wire) -> list[int]:
    found = json.loads(wire.read_line())
    return [one for one in found if isinstance(one, int)] if isinstance(found, list) else []


def _say(wire: Wire, document: object) -> None:
    wire.send(json.dumps(document, separators=(",", ":")).encode() + b"\n")
