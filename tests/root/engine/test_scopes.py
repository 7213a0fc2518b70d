"""An engine whose control groups a systemd makes, which is a fake; the groups are the kernel's."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.systemd import FakeSystemd, serving

import wharf
from wharf.engine import scopes
from wharf.engine.options import EngineOptions
from wharf.errors import InvalidArgument, WharfError
from wharf.kernel.cgroup.hierarchy import read_hierarchies
from wharf.storage.layout import DataRoot

pytestmark = pytest.mark.root

_OPTIONS = EngineOptions(cgroup_driver="systemd")
_IDLE: Any = {
    "Image": "busybox", "Cmd": ["sleep", "60"], "StopTimeout": 0,
    "HostConfig": {"NetworkMode": "none", "CgroupnsMode": "host", "PidsLimit": 9},
}  # fmt: skip


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> Iterator[FakeSystemd]:
    """A systemd that has made the slices of the engine with data root ``root``; what is left of them goes."""
    roots = [Path(each) for each in read_hierarchies().roots if "cpuset" not in each]
    fake = FakeSystemd(roots)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    with serving(fake, tmp_path / "bus"):
        yield fake


def _groups(root: Path) -> set[str]:
    inner = scopes.slices_of(DataRoot(root).key)[1]
    found = {
        each for top in read_hierarchies().roots if os.path.isdir(top + inner) for each in os.listdir(top + inner)
    }
    return {each for each in found if each.endswith(".scope")}


def test_containers_live_in_scopes(systemd: FakeSystemd, root: Path) -> None:
    async def body() -> None:
        async with wharf.Engine(root, options=_OPTIONS) as engine:
            made = (await engine.containers.create(_IDLE, name="scoped"))["Id"] or ""
            await engine.containers.start("scoped")
            pid = ((await engine.containers.inspect("scoped"))["State"] or {})["Pid"]
            inner = scopes.slices_of(DataRoot(root).key)[1]
            groups = {line.split(":")[2] for line in _read(f"/proc/{pid}/cgroup").splitlines()}
            assert groups == {f"{inner}/wharf-{made}.scope"}
            assert await _exec(engine, "scoped") == 0

            await engine.containers.update("scoped", {"PidsLimit": 20})
            assert [(name, told["TasksMax"]) for name, told in systemd.units] == [
                (f"wharf-{made}.scope", 9),
                (f"wharf-{made}.scope", 20),
            ]
            await engine.containers.pause("scoped")
            await engine.containers.unpause("scoped")
            assert (await engine.system.info())["CgroupDriver"] == "systemd"
            with pytest.raises(InvalidArgument, match="should be a valid slice"):
                await engine.containers.create({**_IDLE, "HostConfig": {"CgroupParent": "/x"}})
        # An engine that makes groups itself finds the scope all the same.
        async with wharf.Engine(root) as engine:
            assert ((await engine.containers.inspect("scoped"))["State"] or {})["Status"] == "running"
            await engine.containers.pause("scoped")
            await engine.containers.remove("scoped", force=True)
            assert await asyncio.to_thread(_groups, root) == set()
        async with wharf.Engine(root, options=_OPTIONS):
            pass  # it takes its empty slices away

    asyncio.run(body())


def test_what_systemd_refuses_is_the_starts_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    async def body() -> None:
        async with wharf.Engine(root, options=_OPTIONS) as engine:
            await engine.containers.create(_IDLE, name="refused")
            with pytest.raises(WharfError, match=r"systemd does not start wharf-.*no such slice"):
                await engine.containers.start("refused")
            await engine.containers.remove("refused")

    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    with serving(FakeSystemd([], refuses="org.x.No"), tmp_path / "bus"):
        asyncio.run(body())

    assert _groups(root) == set()


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()


async def _exec(engine: wharf.Engine, name: str) -> object:
    made = await engine.execs.create(name, {"Cmd": ["true"], "AttachStdout": True})
    attached = await engine.execs.start(made, detach=False, tty=False, console_size=None)
    assert attached is not None
    with attached.socket:
        assert await asyncio.get_running_loop().sock_recv(attached.socket, 10) == b""
    return (await engine.execs.inspect(made))["ExitCode"]
