"""A container's record, its folder and its volumes: there are all of them, or none, however create ends."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import wharf
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import CreateContainer
from wharf.volumes.volumes import Volumes

pytestmark = pytest.mark.root

OnEngine = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]
_DOCUMENT: CreateContainer = {"Image": "busybox", "Cmd": ["true"], "Volumes": {"/a": {}, "/b": {}}}


async def _nothing_is_there(engine: wharf.Engine, root: Path) -> bool:
    volumes = await engine.volumes.list()
    return not (await engine.containers.list(all=True) or volumes["Volumes"] or os.listdir(root / "containers"))


def test_nothing_remains_of_a_container_whose_volumes_cannot_be_kept(
    on_engine: OnEngine, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Volumes, name: str) -> None:
        raise OSError(28, f"no space left for {name}")

    async def body(engine: wharf.Engine) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(Volumes, "keep", full)
            with pytest.raises(OSError, match="no space left"):
                await engine.containers.create(_DOCUMENT, name="c1")
        assert await _nothing_is_there(engine, root)

        await engine.containers.create(_DOCUMENT, name="c1")

    on_engine(body)


def test_nothing_remains_of_a_create_that_is_cancelled_while_a_thread_makes_a_volume(
    on_engine: OnEngine, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on, ended = threading.Event(), threading.Event(), threading.Event()
    create = Volumes._create

    def slow(volumes: Volumes, row: object) -> object:
        begun.set()
        goes_on.wait(60)
        made = create(volumes, row)  # type: ignore[arg-type]  # what it was given
        ended.set()
        return made

    async def body(engine: wharf.Engine) -> None:
        monkeypatch.setattr(Volumes, "_create", slow)
        task = asyncio.create_task(engine.containers.create(_DOCUMENT, name="c1"))
        await asyncio.to_thread(begun.wait, 60)
        task.cancel()
        asyncio.get_running_loop().call_later(0.1, goes_on.set)  # time enough to undo it too early
        with pytest.raises(asyncio.CancelledError):
            await task

        await asyncio.to_thread(ended.wait, 60)
        assert await _nothing_is_there(engine, root)

    on_engine(body)


def test_what_nobody_uses_is_pruned_without_a_word_about_filters(on_engine: OnEngine, root: Path) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(_DOCUMENT, name="c1")
        await engine.networks.create({"Name": "n1"})
        pruned = [await noun.prune() for noun in (engine.containers, engine.networks, engine.volumes, engine.images)]

        assert [len(pruned[0]["ContainersDeleted"]), pruned[1]["NetworksDeleted"]] == [1, ["n1"]]  # type: ignore[arg-type]
        assert len(pruned[2]["VolumesDeleted"]) == 2  # type: ignore[arg-type]
        assert await _nothing_is_there(engine, root)

    on_engine(body)


def test_a_field_that_there_is_not_is_refused_wherever_it_is(on_engine: OnEngine, root: Path) -> None:
    async def body(engine: wharf.Engine) -> None:
        mount = {"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"Size": 1 << 20}}
        with pytest.raises(InvalidArgument, match=r"HostConfig.Mounts\[0\].TmpfsOptions has no 'Size'"):
            await engine.containers.create({"Image": "busybox", "HostConfig": {"Mounts": [mount]}})  # type: ignore[list-item]
        with pytest.raises(InvalidArgument, match=r"host_config: RestartPolicy has no 'MaxRetry'"):
            await engine.run("busybox", ["true"], host_config={"RestartPolicy": {"MaxRetry": 1}})  # type: ignore[typeddict-unknown-key]
        assert await _nothing_is_there(engine, root)

    on_engine(body)


def test_a_container_is_called_by_its_id_or_as_the_machine_whose_network_it_has(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        for host, called in ({"UTSMode": "host"}, None), ({"NetworkMode": "host"}, socket.gethostname()):
            document: CreateContainer = {"Image": "busybox", "HostConfig": host}  # type: ignore[typeddict-item]
            made = await engine.containers.create(document)
            found = await engine.containers.inspect(made["Id"])
            assert found["Config"]["Hostname"] == (called or made["Id"][:12])  # type: ignore[index]

    on_engine(body)
