"""``Engine.run``: the library's shortest way into a container."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from glob import glob
from pathlib import Path

import pytest

import wharf
from wharf.engine.completed import Completed
from wharf.errors import InvalidArgument, NotFound, Unavailable
from wharf.spec.engine_api.container import HostConfig

On = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]


async def it_runs(engine: wharf.Engine) -> None:
    while not await engine.containers.list():  # noqa: ASYNC110  # what runs in another task, and tells nobody
        await asyncio.sleep(0)


def test_output_and_exit_code_come_back(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        done = await engine.run("busybox", ["sh", "-c", "echo out; echo err >&2; exit 7"])

        assert (done.exit_code, done.stdout, done.stderr) == (7, b"out\n", b"err\n")

    on_engine(body)


def test_stdin_is_fed_and_closed(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        done = await engine.run("busybox", ["wc", "-c"], stdin=b"x" * 300_000)

        assert done.stdout.strip() == b"300000"

    on_engine(body)


def test_large_output_arrives_whole(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        done = await engine.run("busybox", ["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' 'a'"])

        assert len(done.stdout) == 3_000_000

    on_engine(body)


def test_the_container_is_alone_in_its_namespaces(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        done = await engine.run("busybox", ["sh", "-c", "echo $$; ls /sys/class/net; hostname | wc -c; id -u"])

        assert done.stdout.split() == [b"1", b"lo", b"13", b"0"]

    on_engine(body)


def test_a_command_that_does_not_exist_is_refused_in_dockers_words(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        with pytest.raises(InvalidArgument, match=r'exec: "nonsense": executable file not found in \$PATH'):
            await engine.run("busybox", ["nonsense"])

    on_engine(body)


def test_an_unknown_image_is_not_found(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        with pytest.raises(NotFound, match="No such image: nowhere:latest"):
            await engine.run("nowhere", ["true"])

    on_engine(body)


def test_a_timeout_ends_the_container(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        with pytest.raises(TimeoutError):
            await engine.run("busybox", ["sleep", "60"], timeout_s=0.3)

        assert await engine.containers.list(all=True) == []

    on_engine(body)


def test_no_log_is_kept_of_it_unless_one_is_asked_for(on_engine: On, root: Path) -> None:
    async def body(engine: wharf.Engine) -> None:
        async def logs_beside(host_config: HostConfig) -> int:
            running = asyncio.create_task(
                engine.run("busybox", ["sh", "-c", "echo out; sleep 600"], host_config=host_config)
            )
            await it_runs(engine)
            found = len(glob(f"{root}/containers/*/*-json.log"))
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return found

        assert await logs_beside({}) == 0
        assert await logs_beside({"LogConfig": {"Type": "json-file"}}) == 1

    on_engine(body)


def test_it_ends_when_the_engine_is_left(on_engine: On) -> None:
    left: list[asyncio.Task[Completed]] = []

    async def body(engine: wharf.Engine) -> None:
        left.append(asyncio.create_task(engine.run("busybox", ["sleep", "600"])))
        await it_runs(engine)

    async def nothing_is_left(engine: wharf.Engine) -> None:
        assert await engine.containers.list(all=True) == []

    on_engine(body)
    assert isinstance(left[0].exception(), Unavailable)
    on_engine(nothing_is_left)


def test_from_another_event_loop_it_is_refused(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        elsewhere = asyncio.to_thread(lambda: asyncio.run(engine.run("busybox", ["true"])))
        with pytest.raises(RuntimeError, match="in another event loop"):
            await elsewhere

    on_engine(body)


def test_the_default_bridge_gives_an_address_of_172_17(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        done = await engine.run("busybox", ["ip", "-4", "-o", "addr", "show", "eth0"], network="bridge")

        assert b"172.17.0." in done.stdout

    on_engine(body)
