"""Containers by runc, a runtime that others wrote, through all that an engine does with one."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.root.world import EMPTY, observe

import wharf
from wharf.engine.options import EngineOptions
from wharf.engine.runtimes import Runtimes
from wharf.errors import InvalidArgument, WharfError
from wharf.lib.stdcopy import Demultiplexer
from wharf.storage.layout import DataRoot, run_root_of

_RUNC = shutil.which("runc")
pytestmark = [pytest.mark.root, pytest.mark.skipif(_RUNC is None, reason="there is no runc")]


@asynccontextmanager
async def engine_on(root: Path, default: str = "runc") -> AsyncIterator[wharf.Engine]:
    assert _RUNC is not None
    runtimes = Runtimes({"other": {"path": _RUNC, "arguments": []}}, default)
    async with wharf.Engine(root, options=EngineOptions(runtimes=runtimes)) as engine, asyncio.timeout(60):
        yield engine


async def _create(engine: wharf.Engine, name: str, *command: str, **asked: Any) -> None:
    host = {"NetworkMode": "none", "Runtime": "other", **asked.pop("HostConfig", {})}
    request: Any = {"Image": "busybox", "Cmd": list(command), "StopTimeout": 0, "HostConfig": host, **asked}
    await engine.containers.create(request, name=name)


async def _output(engine: wharf.Engine, name: str) -> tuple[str, int | None]:
    ended = await engine.containers.wait(name, condition="next-exit")
    await engine.containers.start(name)
    code = (await ended)["StatusCode"]
    log = await engine.containers.logs(name)
    raw = b"".join([chunk if log.tty else chunk[8:] async for chunk in log])
    return raw.decode(), code


async def _exec(engine: wharf.Engine, name: str, *command: str, **asked: Any) -> tuple[str, object]:
    made = await engine.execs.create(name, {"Cmd": list(command), "AttachStdout": True, **asked})  # type: ignore[typeddict-item]
    attached = await engine.execs.start(made, detach=False, tty=False, console_size=None)
    assert attached is not None
    demultiplexer, found = Demultiplexer(), b""
    with attached.socket:
        while chunk := await asyncio.get_running_loop().sock_recv(attached.socket, 65536):
            found += chunk if attached.tty else b"".join(data for _, data in demultiplexer.feed(chunk))
    return found.decode(), await engine.execs.wait(made)


async def _life(root: Path) -> None:
    async with engine_on(root) as engine:
        await _create(
            engine, "says", "sh", "-c", "id -un; cat /proc/1/comm; echo kept > /tmp/f; exit 7", User="nobody:0"
        )
        assert await _output(engine, "says") == ("nobody\nsh\n", 7)
        assert await _output(engine, "says") == (2 * "nobody\nsh\n", 7)  # a log of both runs
        await _create(
            engine, "terminal", "sh", "-c", "tty; stty size", Tty=True, HostConfig={"ConsoleSize": [33, 77]}
        )
        assert (await _output(engine, "terminal"))[0].split() == ["/dev/pts/0", "33", "77"]

        await _create(engine, "lives", "sleep", "60", HostConfig={"PidsLimit": 20})
        await engine.containers.start("lives")
        pid = ((await engine.containers.inspect("lives"))["State"] or {})["Pid"]
        states = list(run_root_of(root).path.glob("shims/*/runtime/*/state.json"))
        assert [json.loads(state.read_text())["init_process_pid"] for state in states] == [pid]
        assert await _exec(engine, "lives", "sh", "-c", "id -u; exit 3", User="1") == ("1\n", 3)
        assert (await _exec(engine, "lives", "tty", Tty=True))[0].startswith("/dev/pts/")
        with pytest.raises(InvalidArgument, match="executable file not found"):
            await _exec(engine, "lives", "nope")
        await engine.containers.pause("lives")
        await engine.containers.unpause("lives")
        await engine.containers.update("lives", {"PidsLimit": 30})
        assert (
            "30\n"
            in (await _exec(engine, "lives", "sh", "-c", "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max"))[
                0
            ]
        )
        assert (await engine.containers.top("lives"))["Processes"]
    # Its shim lives on without the engine; another one that no more knows the runtime stops it, and cannot start it.
    async with wharf.Engine(root) as engine:
        assert ((await engine.containers.inspect("lives"))["State"] or {})["Status"] == "running"
        await engine.containers.stop("lives")
        with pytest.raises(InvalidArgument, match="unknown or invalid runtime name: other"):
            await engine.containers.start("lives")


async def _refusals(root: Path) -> None:
    async with engine_on(root, default="other") as engine:
        await engine.containers.create({"Image": "busybox", "Cmd": ["nope"]}, name="none")
        with pytest.raises(WharfError, match="executable file not found"):
            await engine.containers.start("none")
        state = (await engine.containers.inspect("none"))["State"] or {}
        assert state["ExitCode"] == 127


@pytest.mark.parametrize("scenario", [_life, _refusals])
def test_containers_of_another_runtime(stocked: Path, tmp_path: Path, scenario: Any) -> None:
    root = tmp_path / "root"
    subprocess.run(["cp", "-a", stocked, root], check=True)

    async def body() -> None:
        try:
            await scenario(root)
        finally:
            async with wharf.Engine(root) as engine:
                for container in await engine.containers.list(all=True):
                    await engine.containers.remove(container["Id"] or "", force=True)

    asyncio.run(body())
    left = observe(DataRoot(root), run_root_of(root))
    shutil.rmtree(run_root_of(root).path, ignore_errors=True)
    assert left == EMPTY
