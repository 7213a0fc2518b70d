"""``Engine.workspace``: a container that a program works in, and that goes when the program goes."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import wharf
from wharf.errors import Conflict, Forbidden, InvalidArgument, NotFound
from wharf.spec.engine_api.container import HostConfig

On = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]

_WORKS = """
import asyncio, sys, wharf

async def main():
    async with wharf.Engine(sys.argv[1]) as engine, engine.workspace("busybox") as work:
        await work.write("/note", b"here")
        print(work.id, flush=True)
        await work.run(["sleep", "600"])

asyncio.run(main())
"""

_LETS_ITS_HOLDER_BE_HELD = """
import asyncio, sys, wharf

async def main():
    async with wharf.Engine(sys.argv[1]) as engine, engine.workspace("busybox") as work:
        await work.run(["sh", "-c", "sleep 600 3>/proc/1/fd/0 >/dev/null 2>&1 &"])
        print(work.id, flush=True)
        await work.run(["sleep", "600"])

asyncio.run(main())
"""

_CREATES = """
import asyncio, os, sys, wharf

async def main():
    async with wharf.Engine(sys.argv[1]) as engine:
        async def killed(*_, **__):
            print(len(await engine.containers.list(all=True)), flush=True)
            os._exit(1)

        other = {"Image": "busybox", "HostConfig": {"AutoRemove": True}}
        await engine.containers.create(other, name="other")
        engine.containers.start = killed
        await engine.run("busybox", ["true"])

asyncio.run(main())
"""

_RUNS = """
import asyncio, sys, wharf

async def main():
    async with wharf.Engine(sys.argv[1]) as engine:
        running = asyncio.create_task(engine.run("busybox", ["sleep", "600"], stdin=bytes(10 << 20)))
        while not (found := await engine.containers.list()):
            await asyncio.sleep(0)
        print(found[0]["Id"], flush=True)
        await running

asyncio.run(main())
"""


def test_commands_see_what_the_ones_before_them_left(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with engine.workspace("busybox") as work:
            first = await work.run(["sh", "-c", "echo kept >/tmp/file; echo out; echo err >&2; exit 3"])
            second = await work.run(["cat", "file"], folder="/tmp")

        assert (first.exit_code, first.stdout, first.stderr) == (3, b"out\n", b"err\n")
        assert second.stdout == b"kept\n"

    on_engine(body)


def test_commands_run_at_once(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with engine.workspace("busybox") as work:
            await work.run(["mkfifo", "/pipe"])
            written, read = await asyncio.gather(
                work.run(["sh", "-c", "echo through >/pipe"]), work.run(["cat", "/pipe"])
            )

        assert (written.exit_code, read.stdout) == (0, b"through\n")

    on_engine(body)


def test_a_command_gets_input_variables_and_a_user(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with engine.workspace("busybox", environment={"OF_ALL": "1"}) as work:
            done = await work.run(
                ["sh", "-c", "cat; echo $OF_ALL $OF_ONE; id -u"],
                stdin=b"fed\n",
                environment={"OF_ONE": "2"},
                user="7",
            )

        assert done.stdout == b"fed\n1 2\n7\n"

    on_engine(body)


def test_a_file_comes_back_as_it_was_written(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with engine.workspace("busybox") as work:
            await work.write("/made/for/it/data", bytes(range(256)) * 1000, mode=0o600)
            mode = await work.run(["stat", "-c", "%a", "/made/for/it/data"])

            assert await work.read("/made/for/it/data") == bytes(range(256)) * 1000
            assert mode.stdout == b"600\n"

    on_engine(body)


def test_a_file_is_written_where_a_root_that_is_read_only_lets_it(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        sealed: HostConfig = {"ReadonlyRootfs": True, "Mounts": [{"Type": "tmpfs", "Target": "/task"}]}
        async with engine.workspace("busybox", host_config=sealed) as work:
            await work.write("/task/data", b"kept")
            with pytest.raises(Forbidden):
                await work.write("/data", b"")

            assert await work.read("/task/data") == b"kept"

    on_engine(body)


def test_a_link_is_followed_within_the_container_alone(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with engine.workspace("busybox") as work:
            await work.run(["sh", "-c", "echo own >/etc/shadow; ln -s ../../../etc/shadow /link"])

            assert await work.read("/link") == b"own\n"

    on_engine(body)


def test_what_is_no_file_or_too_long_is_refused(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with engine.workspace("busybox") as work:
            await work.write("/ten", b"0123456789")

            with pytest.raises(InvalidArgument, match="/etc is no regular file"):
                await work.read("/etc")
            with pytest.raises(InvalidArgument, match="/dev/null is no regular file"):
                await work.read("/dev/null")
            with pytest.raises(InvalidArgument, match="/ten has more than the 9 bytes"):
                await work.read("/ten", limit_bytes=9)
            with pytest.raises(NotFound):
                await work.read("/nowhere")
            with pytest.raises(InvalidArgument):
                await work.write("/", b"")

    on_engine(body)


def test_a_command_that_takes_too_long_is_killed_and_the_next_one_runs(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with engine.workspace("busybox") as work:
            with pytest.raises(TimeoutError):
                await work.run(["sleep", "600"], timeout_s=0.2)

            running = await work.run(["sh", "-c", "ps -o comm | grep -c '^sleep'; true"])
            assert running.stdout == b"0\n"

    on_engine(body)


def test_only_as_much_output_is_kept_as_there_is_to_be(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with engine.workspace("busybox") as work:
            done = await work.run(["sh", "-c", "head -c 1000000 /dev/zero; echo end >&2"], limit_bytes=1000)
        whole = await engine.run("busybox", ["head", "-c", "1000", "/dev/zero"], limit_bytes=1000)

        assert (len(done.stdout), done.stderr, done.truncated) == (1000, b"end\n", True)
        assert (len(whole.stdout), whole.truncated) == (1000, False)

    on_engine(body)


def test_a_command_that_cannot_be_is_refused_and_the_workspace_goes_on(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with engine.workspace("busybox") as work:
            with pytest.raises(InvalidArgument, match="executable file not found"):
                await work.run(["nonsense"])

            assert (await work.run(["echo", "on"])).stdout == b"on\n"

    on_engine(body)


def test_nothing_is_left_when_it_is_left(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        with pytest.raises(ZeroDivisionError):
            async with engine.workspace("busybox") as work:
                raise ZeroDivisionError

        assert await engine.containers.list(all=True) == []
        with pytest.raises(NotFound):
            await work.run(["true"])

    on_engine(body)


def test_what_kills_the_holder_ends_the_workspace(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with engine.workspace("busybox") as work:
            await engine.containers.kill(work.id)
            with pytest.raises((Conflict, NotFound)):
                await work.run(["true"])

    on_engine(body)


def test_an_image_without_a_holder_is_refused(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        with pytest.raises(InvalidArgument, match="no-such-program"):
            async with engine.workspace("busybox", holder=["/no-such-program"]):
                pytest.fail("it was entered")

        assert await engine.containers.list(all=True) == []

    on_engine(body)


@pytest.mark.parametrize("text", [_WORKS, _LETS_ITS_HOLDER_BE_HELD, _RUNS])
def test_it_ends_with_the_program_even_when_that_is_killed(root: Path, on_engine: On, text: str) -> None:
    program = subprocess.Popen([sys.executable, "-c", text, root], stdout=subprocess.PIPE, text=True)
    assert program.stdout
    container_id = program.stdout.readline().strip()
    held = _process_in(container_id)
    program.send_signal(signal.SIGKILL)
    program.wait()
    program.stdout.close()

    assert _gone(held), "it goes on without its program"

    async def body(engine: wharf.Engine) -> None:
        assert await engine.containers.list(all=True) == []

    on_engine(body)


def test_what_a_killed_program_had_not_started_yet_goes_with_the_next_engine(root: Path, on_engine: On) -> None:
    done = subprocess.run([sys.executable, "-c", _CREATES, root], stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "2\n")

    async def body(engine: wharf.Engine) -> None:
        assert [one["Names"] for one in await engine.containers.list(all=True)] == [["/other"]]

    on_engine(body)


def _process_in(container_id: str) -> int:
    """Return a descriptor of a process in the container's control group."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if container_id in (folder / "cgroup").read_text():
                return os.pidfd_open(int(folder.name))
        except OSError:
            continue
    raise AssertionError("nothing runs in the container")


def _gone(pidfd: int) -> bool:
    """Return whether a process ends within half a minute."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    try:
        return bool(poll.poll(30_000))
    finally:
        os.close(pidfd)
