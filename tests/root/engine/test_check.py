"""wharf system check, by the engine: images, containers, volumes, builds and the database in one."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import wharf

pytestmark = pytest.mark.root
On = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]


async def found(engine: wharf.Engine, *, repair: bool = False) -> tuple[list[str], dict[str, object]]:
    *findings, counts = [document async for document in engine.system.check(repair=repair)]
    return [str(document["kind"]) for document in findings], counts


def test_a_whole_engine_has_nothing_wrong(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create({"Image": "busybox", "Cmd": ["true"]}, name="one")
        await engine.volumes.create({"Name": "vol"})

        assert await found(engine) == ([], {"problems": 0, "repaired": 0, "garbage": 0})
        await engine.volumes.remove("vol")

    on_engine(body)


def test_a_container_without_its_layer_and_a_volume_without_its_folder_are_told(on_engine: On, root: Path) -> None:
    async def body(engine: wharf.Engine) -> None:
        created = await engine.containers.create({"Image": "busybox", "Cmd": ["true"]}, name="one")
        await engine.volumes.create({"Name": "vol"})
        shutil.rmtree(root / "containers" / str(created["Id"]) / "upper")
        shutil.rmtree(root / "volumes/vol/_data")

        assert await found(engine) == (["container", "volume"], {"problems": 2, "repaired": 0, "garbage": 0})
        await engine.volumes.remove("vol")

    on_engine(body)


def test_what_is_mended_is_counted_and_no_problem_any_more(on_engine: On, root: Path) -> None:
    async def body(engine: wharf.Engine) -> None:
        [layer] = (root / "snapshots").iterdir()
        (layer / "fs/bin/busybox").write_bytes(b"something else")

        assert await found(engine, repair=True) == (["layer"], {"problems": 0, "repaired": 1, "garbage": 0})
        assert (await engine.run("busybox", ["echo", "again"])).stdout == b"again\n"
        assert (await found(engine))[0] == []

    on_engine(body)
