"""Run one attack on the package in the folder that is the first argument; the job is JSON on standard input.

A program of its own: the package under attack is another than the tests'. The answer is the last line of output.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import tarfile
from pathlib import Path
from typing import Any

_LEAKED_FD = 50
_JOB: dict[str, Any] = json.load(sys.stdin)
sys.path.insert(0, sys.argv[1])

import wharf  # noqa: E402
from wharf.kernel import memfd  # noqa: E402
from wharf.kernel.cgroup.group import open_cgroup  # noqa: E402
from wharf.processes.opening import Opened, open_groups, open_world, suits  # noqa: E402
from wharf.runtime import container  # noqa: E402
from wharf.runtime.errors import StartFailed  # noqa: E402
from wharf.storage.layout import run_root_of  # noqa: E402

assert wharf.__file__ is not None
assert wharf.__file__.startswith(sys.argv[1])


class Streams:
    """A pipe, or nothing for who opens a terminal."""

    def __init__(self, process: dict[str, Any]) -> None:
        self.reader, self._writer = os.pipe()
        null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        self.stdio = None if process.get("terminal") else (null, self._writer, self._writer)

    def read(self, started: Any) -> str:
        os.close(self._writer)
        output, fd = b"", self.reader if started.console is None else started.console
        while data := _read(fd):
            output += data
        os.waitpid(started.pid, 0)
        return output.decode(errors="replace").replace("\r\n", "\n")


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 65536)
    except OSError:  # EIO: a terminal that nobody has open any more
        return b""


def _create(spec: dict[str, Any], streams: Streams) -> Any:
    return container.create(
        spec,  # type: ignore[arg-type]  # JSON
        bundle=_JOB["bundle"],
        rootfs=_JOB["rootfs"],
        stdio=streams.stdio,
        cgroup=None,
        seccomp_cache=None,
    )


def direct() -> str:
    """Clone a process for the container."""
    streams = Streams(_JOB["spec"]["process"])
    started = _create(_JOB["spec"], streams)
    started.start()
    return streams.read(started)


def exec_() -> str:
    """Run ``process`` in a container."""
    init = _create(_JOB["spec"], Streams(_JOB["spec"]["process"]))
    init.start()
    try:
        streams = Streams(_JOB["process"])
        started = container.execute(
            _JOB["process"],
            init_pid=init.pid,
            spec=_JOB["spec"],
            stdio=streams.stdio,
            cgroup=None,
            seccomp_cache=None,
        )
        return streams.read(started)
    finally:
        init.abort()


def embryo() -> str:
    """Have an embryo become the container."""
    usual = {**_JOB["spec"], "mounts": _JOB["usual_mounts"]}
    group = open_cgroup(f"/wharf-tests-{os.getpid()}")
    group.create()
    born = container.expect(usual, f"{_JOB['bundle']}/seccomp").conceive()  # type: ignore[arg-type]  # JSON
    config = memfd.sealed(json.dumps(_JOB["spec"]).encode(), "config.json")
    streams = Streams(_JOB["spec"]["process"])
    try:
        assert suits(_JOB["spec"], _JOB["rootfs"], None, group)
        born.give_document(_JOB["bundle"], config)
        with Opened() as opened:
            world = open_world(opened, _JOB["spec"], _JOB["bundle"], _JOB["rootfs"])
            born.give_world(streams.stdio, world, opened.fds)
        with Opened() as opened:
            started = born.bring_up(open_groups(opened, _JOB["spec"], group), opened.fds)
        output = streams.read(started)
        started.let_mounts_go()
        return output
    finally:
        born.discard()
        group.delete()


async def _archive(name: str, content: bytes) -> Any:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    yield data.getvalue()


async def _output(engine: Any, *command: str, **host: Any) -> str:
    made = await engine.containers.create({"Image": "busybox", "Cmd": list(command), "HostConfig": host}, name="box")
    await engine.containers.start(made["Id"])
    await (await engine.containers.wait(made["Id"]))
    log = [chunk async for chunk in await engine.containers.logs(made["Id"], timestamps=False)]
    return b"".join(log).decode(errors="replace")


async def _status(engine: Any) -> str:
    """What a container's program is in the eyes of the kernel."""
    return await _output(engine, "cat", "/proc/self/status", NetworkMode="none")


async def _sockets(engine: Any) -> str:
    """The sockets of the host's network that a container in it can name, while the shim of one serves its own."""
    made = await engine.containers.create(
        {"Image": "busybox", "Cmd": ["sleep", "60"], "HostConfig": {"NetworkMode": "none"}}, name="served"
    )
    await engine.containers.start(made["Id"])
    socket = run_root_of(Path(_JOB["root"])).shims / made["Id"] / "shim.sock"
    while not socket.exists():  # noqa: ASYNC110  # another process makes it; the caller bounds it
        await asyncio.sleep(0.01)
    return await _output(engine, "cat", "/proc/net/unix", NetworkMode="host")


async def _copy_out(engine: Any) -> str:
    """A file of the container's reached through a symlink that it has made to the root."""
    await _output(engine, "sh", "-c", f"ln -s / /link; mkdir -p {_JOB['folder']}", NetworkMode="none")
    await engine.containers.extract("box", _JOB["folder"], _archive("secret", b"container"))
    found = await engine.containers.archive("box", f"/link{_JOB['folder']}/secret")
    try:
        packed = b"".join([chunk async for chunk in found])
    finally:
        await found.aclose()
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        content = tar.extractfile("secret")
        assert content is not None
        return content.read().decode()


async def _copy_in(engine: Any) -> str:
    """What has changed after a library was planted where the host's programs look for it, and a file copied in."""
    library = os.path.dirname(os.__file__)
    await _output(engine, "mkdir", "-p", library, NetworkMode="none")
    await engine.containers.extract("box", library, _archive("colorsys.py", b"open('/loaded', 'w')"))
    await engine.containers.extract("box", "/tmp", _archive("file", b""))
    return repr(await engine.containers.changes("box"))


_ON_ENGINE = {"status": _status, "sockets": _sockets, "copy out": _copy_out, "copy in": _copy_in}


async def _on_engine() -> str:
    async with wharf.Engine(_JOB["root"]) as engine:
        try:
            async with asyncio.timeout(60):
                return await _ON_ENGINE[_JOB["attack"]](engine)
        finally:
            for one in await engine.containers.list(all=True):
                await engine.containers.remove(one["Id"] or "", force=True)


def main() -> None:
    """Do the job and print [output, error]."""
    if _JOB.get("leak"):
        os.dup2(os.open(_JOB["leak"], os.O_RDONLY), _LEAKED_FD)
        os.set_inheritable(_LEAKED_FD, True)
    ways = {"direct": direct, "embryo": embryo, "exec": exec_, "engine": lambda: asyncio.run(_on_engine())}
    try:
        answer = [ways[_JOB["way"]](), ""]
    except (StartFailed, OSError) as error:
        answer = ["", str(error)]
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


main()
