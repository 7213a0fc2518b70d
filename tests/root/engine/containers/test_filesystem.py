from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.root.mounts import changed, mounts

import wharf
from wharf.engine.containers.filesystem import open_for_reading, open_for_writing
from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.errors import Conflict

pytestmark = pytest.mark.root

OnEngine = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]


async def _made(engine: wharf.Engine, *binds: str) -> tuple[Context, Container]:
    host = {"NetworkMode": "none", "Binds": list(binds)}
    await engine.containers.create({"Image": "busybox", "Cmd": ["sleep", "60"], "HostConfig": host}, name="box")  # type: ignore[typeddict-item]
    context = engine.volumes._context
    return context, context.registry.resolve("box")


def test_a_stopped_container_is_seen_with_its_mounts_and_neither_it_nor_the_host_is_changed(
    on_engine: OnEngine, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/file").write_text("bound")

    async def body(engine: wharf.Engine) -> None:
        context, container = await _made(engine, f"{tmp_path}/data:/data")
        before = mounts()
        root = await open_for_reading(context, container)
        try:
            fd = os.open("data/file", os.O_RDONLY, dir_fd=root.fd)
            assert (os.read(fd, 10), changed(before)) == (b"bound", [])
            os.close(fd)
            os.mkdir("new", dir_fd=root.fd)
        finally:
            root.close()
            root.close()
        assert not (context.data.container(container.id) / "upper/new").exists()

    on_engine(body)


def test_what_is_written_to_a_stopped_container_is_its_own_layer(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        context, container = await _made(engine)
        async with open_for_writing(context, container) as root:
            os.mkdir("new", dir_fd=root.fd)
        assert (context.data.container(container.id) / "upper/new").is_dir()

    on_engine(body)


def test_a_running_container_is_seen_by_the_root_of_its_init(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        context, container = await _made(engine)
        await engine.containers.start("box")
        root = await open_for_reading(context, container)
        inside = os.stat("proc/1", dir_fd=root.fd)  # a process file system is mounted in there alone
        assert inside.st_ino
        assert "1" in os.listdir(os.open("proc", os.O_RDONLY, dir_fd=root.fd))
        root.close()

    on_engine(body)


def test_the_number_of_an_init_that_has_ended_leads_to_nobody_elses_root(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        context, container = await _made(engine)
        other = os.fork()
        if other == 0:
            signal.pause()
            os._exit(0)
        stopped = container.state
        container.state = replace(stopped, status="running", pid=other)
        try:
            with pytest.raises(Conflict, match="is not running"):
                await open_for_reading(context, container)
        finally:
            container.state = stopped
            os.kill(other, signal.SIGKILL)
            os.waitid(os.P_PID, other, os.WEXITED)  # noqa: ASYNC222  # it dies at once

    on_engine(body)
