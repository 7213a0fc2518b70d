"""docker checkpoint: save a container's processes by CRIU, to be brought back by ``docker start --checkpoint``.

::

    <container>/checkpoints/<name>/       what CRIU has written
    <folder>/<id>/checkpoints/<name>/     the same, in a folder of the user's
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from wharf.engine.containers.attributes import publish
from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.errors import Conflict, InvalidArgument, NotFound, NotImplementedHere, WharfError
from wharf.processes.processes import ProcessFailed
from wharf.spec.engine_api.checkpoint import Checkpoint, CheckpointCreate

_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_UNFINISHED: Final = ".new"


async def create(context: Context, ref: str, asked: CheckpointCreate) -> None:
    """Save a container; it stops, unless ``Exit`` is false.

    Raises:
        NotFound: there is no such container.
        Conflict: it does not run, or has a checkpoint of that name.
        InvalidArgument: the name is none.
        WharfError: CRIU could not save it: why. It goes on.
    """
    container = context.registry.resolve(ref)
    name = asked.get("CheckpointID") or ""
    folder = _folder(context, container, asked.get("CheckpointDir") or "")
    if not _NAME.fullmatch(name):
        raise InvalidArgument(f"Invalid checkpoint ID ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    if context.root_of(container.spec.host_config) != (0, 0):
        raise NotImplementedHere("a container in a user namespace cannot be saved: use --userns=host with it")
    async with container.lock:
        if not container.state.alive or container.shim is None:
            raise Conflict(f"Container {ref} not running")
        if (folder / name).exists():
            raise Conflict(
                f"cannot checkpoint container {ref}: checkpoint with name {name} already exists for container {ref}"
            )
        shim = container.shim
        unfinished = folder / f".{name}{_UNFINISHED}"
        await asyncio.to_thread(_make_anew, unfinished)
        try:
            await shim.checkpoint(str(unfinished), leave_running=not asked.get("Exit", False))
            os.rename(unfinished, folder / name)
        except ProcessFailed as error:
            raise WharfError(f"Cannot checkpoint container {ref}: {error.message}") from error
        finally:
            await asyncio.to_thread(shutil.rmtree, unfinished, ignore_errors=True)
    publish(context, container, "checkpoint")
    if asked.get("Exit"):
        await asyncio.wait([shim.exited])


def _make_anew(folder: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)  # of an engine that was killed meanwhile
    folder.mkdir(parents=True, mode=0o700)


def find(context: Context, ref: str, folder: str) -> list[Checkpoint]:
    """Return what was saved of a container, by name.

    Raises:
        NotFound: there is no such container.
    """
    container = context.registry.resolve(ref)
    with suppress(FileNotFoundError):
        names = sorted(path.name for path in _folder(context, container, folder).iterdir())
        return [{"Name": name} for name in names if _NAME.fullmatch(name)]
    return []


async def remove(context: Context, ref: str, name: str, folder: str) -> None:
    """Forget what was saved.

    Raises:
        NotFound: there is no such container, or it has no such checkpoint.
    """
    path = existing(context, context.registry.resolve(ref), name, folder)
    await asyncio.to_thread(shutil.rmtree, path)


def existing(context: Context, container: Container, name: str, folder: str) -> Path:
    """Return the folder of a checkpoint.

    Raises:
        NotFound: there is none of that name.
    """
    path = _folder(context, container, folder) / name
    if not _NAME.fullmatch(name) or not path.is_dir():
        raise NotFound(f"checkpoint {name} does not exist for container {container.name}")
    return path


def _folder(context: Context, container: Container, given: str) -> Path:
    if not given:
        return context.data.container(container.id) / "checkpoints"
    if not given.startswith("/"):
        raise InvalidArgument(f"checkpoint directory {given} must be an absolute path")
    return Path(given) / container.id / "checkpoints"
