from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from tests.root.engine.containers.archives import archive_of

import wharf
from wharf.errors import NotFound

pytestmark = pytest.mark.root

OnEngine = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]


async def _create(engine: wharf.Engine, *command: str) -> str:
    made = await engine.containers.create(
        {"Image": "busybox", "Cmd": list(command), "User": "7:8", "HostConfig": {"NetworkMode": "none"}}, name="box"
    )
    return made["Id"] or ""


def test_a_container_that_never_ran_takes_and_gives_files(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        await _create(engine, "true")
        await engine.containers.extract("box", "/tmp", archive_of("file", b"content"), own=True)
        found = await engine.containers.archive("box", "/tmp/file")
        try:
            packed = b"".join([chunk async for chunk in found])
        finally:
            await found.aclose()
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            entry = tar.getmember("file")
            assert (entry.uid, entry.gid, entry.size, found.stat["size"]) == (7, 8, 7, 7)

    on_engine(body)


def test_a_container_that_never_ran_has_the_files_that_every_container_has(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        await _create(engine, "sh", "-c", "test -e /.dockerenv && grep -q ' / ' /etc/mtab")
        for name in (".dockerenv", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab"):
            found = await engine.containers.archive("box", f"/{name}")
            await found.aclose()
            assert found.stat["linkTarget"] == ("/proc/mounts" if name == "etc/mtab" else "")
        assert await engine.containers.changes("box") == []
        ended = await engine.containers.wait("box", condition="next-exit")
        await engine.containers.start("box")
        assert (await ended)["StatusCode"] == 0
        assert await engine.containers.changes("box") == []
        image = await engine.containers.commit("box", repository="made")
        layers = (await engine.images.inspect(image))["RootFS"]["Layers"]
        assert len(layers) == len((await engine.images.inspect("busybox"))["RootFS"]["Layers"]) + 1

    on_engine(body)


def test_a_stopped_container_starts_only_after_the_archive_is_in(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        await _create(engine, "cat", "/tmp/late")
        taking, held = asyncio.Event(), asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            data = await anext(archive_of("late", b"here"))
            yield data[:100]
            taking.set()
            await held.wait()
            yield data[100:]

        putting = asyncio.ensure_future(engine.containers.extract("box", "/tmp", slow()))
        await taking.wait()
        starting = asyncio.ensure_future(engine.containers.start("box"))
        await asyncio.sleep(0.1)
        assert not starting.done()
        held.set()
        await putting
        ended = await engine.containers.wait("box", condition="next-exit")
        await starting
        assert (await ended)["StatusCode"] == 0

    on_engine(body)


def test_what_is_not_there_is_named(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        await _create(engine, "true")
        with pytest.raises(NotFound, match="Could not find the file /gone in container box"):
            await engine.containers.archive("box", "/gone")

    on_engine(body)
