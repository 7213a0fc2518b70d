from __future__ import annotations

import io
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.root.engine.containers.archives import archive_of

import wharf
from wharf.errors import NotFound

pytestmark = pytest.mark.root

OnEngine = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]


async def _exported(engine: wharf.Engine) -> dict[str, bytes]:
    archive = await engine.containers.export("box")
    try:
        packed = b"".join([chunk async for chunk in archive])
    finally:
        await archive.aclose()
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        files = {entry.name: tar.extractfile(entry) for entry in tar if entry.isreg()}
        return {name: file.read() for name, file in files.items() if file}


async def _create(engine: wharf.Engine, script: str, *binds: str) -> None:
    host = {"NetworkMode": "none", "Binds": list(binds)}
    await engine.containers.create({"Image": "busybox", "Cmd": ["sh", "-c", script], "HostConfig": host}, name="box")  # type: ignore[typeddict-item]


def test_a_container_is_exported_with_what_it_wrote_and_without_its_volumes(
    on_engine: OnEngine, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/secret").touch()

    async def body(engine: wharf.Engine) -> None:
        await _create(engine, "echo mine > /written; rm /bin/cat", f"{tmp_path}/data:/data")
        await engine.containers.start("box")
        await (await engine.containers.wait("box"))
        files = await _exported(engine)
        assert files["written"] == b"mine\n"
        assert not {name for name in files if "secret" in name or name == "bin/cat"}

    on_engine(body)


def test_a_running_container_is_exported_too(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        await _create(engine, "exec sleep 60")
        await engine.containers.start("box")
        await engine.containers.extract("box", "/", archive_of("written", b"mine\n"))
        assert (await _exported(engine))["written"] == b"mine\n"

    on_engine(body)


def test_what_is_not_there_cannot_be_exported(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        with pytest.raises(NotFound, match="No such container: box"):
            await engine.containers.export("box")

    on_engine(body)
