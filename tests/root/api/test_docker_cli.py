"""The unmodified docker CLI against our HTTP, with an engine behind it that has no containers but echoes."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import shutil
import socket
import struct
import termios
from asyncio.subprocess import PIPE
from typing import Any

import pytest
from tests.fakes.engine import FakeStream, frame
from tests.fakes.http import Served, scenario, until

from wharf.errors import InvalidArgument, NotFound

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(shutil.which("docker") is None, reason="the docker CLI is not installed"),
]

VERSION = {"Version": "0.1", "ApiVersion": "1.51", "MinAPIVersion": "1.40", "Os": "linux", "Arch": "amd64"}
ID = "c0ffee" * 10 + "c0ff"


def environment(served: Served) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DOCKER_HOST": f"unix://{served.path}"}


async def docker(served: Served, *args: str, stdin: bytes | None = None) -> tuple[int, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(
        "docker", *args, stdin=PIPE if stdin is not None else None, stdout=PIPE, stderr=PIPE, env=environment(served)
    )
    out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return process.returncode, out, err


class Cat:
    """One container that runs cat, as far as the CLI can tell."""

    def __init__(self, served: Served, *, tty: bool = False, exit_code: int = 0) -> None:
        self._exit_code = exit_code
        self._stream: FakeStream | None = None
        self._tty = tty
        self._served = served
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: asyncio.Future[dict[str, int]] = asyncio.get_running_loop().create_future()
        answers = served.engine.containers.answers
        answers.update(create={"Id": ID}, attach=self._attach, wait=self._wait, start=self._start)
        answers.update(inspect={"Id": ID, "Config": {"Tty": tty, "OpenStdin": True}, "State": {"Running": True}})

    def _attach(self, *_: Any, **__: Any) -> FakeStream:
        self._stream = self._served.stream(tty=self._tty)
        return self._stream

    async def _wait(self, *_: Any, **__: Any) -> asyncio.Future[dict[str, int]]:
        return self._ended

    def _start(self, *_: Any, **__: Any) -> None:
        self._tasks.add(asyncio.create_task(self._cat()))

    def end(self) -> None:
        """End the container as a signal would."""
        assert self._stream is not None
        self._stream.far.shutdown(socket.SHUT_RDWR)

    async def _cat(self) -> None:
        if self._stream is not None:
            loop = asyncio.get_running_loop()
            while data := await loop.sock_recv(self._stream.far, 32 * 1024):
                await loop.sock_sendall(self._stream.far, data if self._tty else frame(1, data))
            self._stream.far.close()
        self._ended.set_result({"StatusCode": self._exit_code})


@scenario
async def test_version_shows_both_sides(served: Served) -> None:
    served.engine.system.answers["version"] = VERSION
    status, out, err = await docker(served, "version", "--format", "{{.Client.APIVersion}} {{.Server.Version}}")

    assert (status, out.split()[1], err) == (0, b"0.1", b"")


@scenario
async def test_piped_stdin_comes_back_and_the_exit_code_is_the_containers(served: Served) -> None:
    Cat(served, exit_code=3)

    assert await docker(served, "run", "-i", "busybox", "cat", stdin=b"hi\n") == (3, b"hi\n", b"")


@scenario
async def test_megabytes_pass_through_run(served: Served) -> None:
    Cat(served)
    data = os.urandom(4 * 1024 * 1024)
    status, out, err = await docker(served, "run", "--rm", "-i", "busybox", "cat", stdin=data)

    assert (status, out == data, err) == (0, True, b"")


@scenario
async def test_exec_carries_stdin_too(served: Served) -> None:
    cat = Cat(served)

    def start(*args: Any, **kwargs: Any) -> FakeStream:
        stream = cat._attach()
        cat._start()
        return stream

    served.engine.execs.answers.update(create="e1", start=start, inspect={"ID": "e1", "ExitCode": 5})

    assert await docker(served, "exec", "-i", "web", "cat", stdin=b"in exec") == (5, b"in exec", b"")


@scenario
async def test_exec_of_an_unknown_command_says_why_and_exits_as_docker_does(served: Served) -> None:
    Cat(served)
    served.engine.execs.answers.update(create="e1", start=InvalidArgument("not in $PATH"), inspect={"ExitCode": 127})

    assert await docker(served, "exec", "web", "nope") == (127, b"not in $PATH\r\n", b"")


@scenario
async def test_terminal_is_attached_raw_and_told_its_size(served: Served) -> None:
    cat = Cat(served, tty=True)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    try:
        process = await asyncio.create_subprocess_exec(
            *("docker", "run", "-it", "busybox", "cat"),
            stdin=theirs,
            stdout=theirs,
            stderr=PIPE,
            env=environment(served),
        )
        os.write(ours, b"typed\n")
        shown = b""
        while b"typed" not in shown.replace(
            b"typed\r\n", b"", 1
        ):  # once by the terminal before it is raw, once by cat
            shown += await asyncio.to_thread(os.read, ours, 1024)
        await until(lambda: any(call[0] == "containers.resize" for call in served.engine.calls))
        cat.end()
        assert (await process.communicate())[1] == b""
    finally:
        os.close(ours)
        os.close(theirs)

    sizes = [call[2] for call in served.engine.calls if call[0] == "containers.resize"]
    assert sizes[0] == {"rows": 33, "columns": 77}


@scenario
async def test_unknown_container_is_one_line_and_exit_code_1(served: Served) -> None:
    served.engine.containers.answers["inspect"] = NotFound("No such container: nope")
    status, out, err = await docker(served, "logs", "nope")

    assert (status, out, err) == (1, b"", b"Error response from daemon: No such container: nope\n")


@scenario
async def test_unknown_image_is_looked_for_in_a_registry(served: Served) -> None:
    served.engine.containers.answers["create"] = NotFound("No such image: nope:latest")
    served.engine.images.answers["pull"] = [NotFound("manifest for nope:latest not found")]
    status, out, err = await docker(served, "run", "nope")

    assert (status, out, err.splitlines()[1]) == (
        125,
        b"",
        b"docker: Error response from daemon: manifest for nope:latest not found",
    )


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("node", "ls"), b"This node is not a swarm manager"),
    ],
)
def test_what_is_missing_is_refused_by_name(args: tuple[str, ...], words: bytes) -> None:
    @scenario
    async def run(served: Served) -> None:
        status, _, err = await docker(served, *args)

        assert (status != 0, words in err) == (True, True), err

    run()


@scenario
async def test_load_streams_an_archive_and_prints_what_it_holds(served: Served) -> None:
    served.engine.images.answers["load"] = [{"stream": "Loaded image: a:b\n"}]
    status, out, err = await docker(served, "load", stdin=bytes(1024 * 1024))

    assert (status, out, err) == (0, b"Loaded image: a:b\n", b"")


@scenario
async def test_listed_containers_are_shown(served: Served) -> None:
    served.engine.containers.answers["list"] = [
        {"Id": ID, "Names": ["/web"], "Image": "busybox", "State": "running", "Status": "Up 3 seconds", "Created": 1}
    ]

    assert await docker(served, "ps", "--format", "{{.Names}} {{.Status}}") == (0, b"web Up 3 seconds\n", b"")
