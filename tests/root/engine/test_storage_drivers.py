"""A container's whole life on each storage driver: what it writes, what is told of it, what is left of it."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.root.engine.builds.conftest import build, error
from tests.root.storage.roots.conftest import on_btrfs  # noqa: F401  # a fixture

import wharf
from wharf.engine.options import EngineOptions
from wharf.errors import Conflict, NotImplementedHere
from wharf.spec.engine_api.container import HostConfig

pytestmark = [pytest.mark.root, pytest.mark.slow]
DRIVERS = ("overlay2", "vfs", "fuse-overlayfs", "btrfs")


@pytest.fixture
def place(driver: str, stocked: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    if driver == "fuse-overlayfs" and shutil.which(driver) is None:
        pytest.skip(f"{driver} is not installed")
    top = request.getfixturevalue("on_btrfs") if driver == "btrfs" else tmp_path
    root = top / f"engine-{os.getpid()}"
    subprocess.run(["cp", "-a", stocked, root], check=True)
    return root


async def _live(engine: wharf.Engine, driver: str) -> None:
    assert (await engine.system.info())["Driver"] == driver
    script = "echo new > /etc/new; rm /bin/vi; echo 12345 > /root/f; cat /etc/new"
    created = await engine.containers.create({"Image": "busybox", "Cmd": ["sh", "-c", script]}, name="cc")
    container = str(created["Id"])
    for _ in range(2):  # a second start finds what the first one wrote
        await engine.containers.start(container)
        assert (await (await engine.containers.wait(container)))["StatusCode"] == 0
    found = {change["Path"]: change["Kind"] for change in await engine.containers.changes(container)}
    assert {path: found[path] for path in ("/etc/new", "/bin/vi", "/root/f")} == {
        "/etc/new": 1,
        "/bin/vi": 2,
        "/root/f": 1,
    }
    size = (await engine.containers.inspect(container, size=True)).get("SizeRw") or 0
    # fuse-overlayfs copies a file of which one of several names is deleted.
    assert size == len("new\n12345\n") if driver != "fuse-overlayfs" else size >= len("new\n12345\n")
    archive = await engine.containers.archive(container, "/root/f")
    with tarfile.open(fileobj=io.BytesIO(b"".join([piece async for piece in archive]))) as tar:
        assert tar.extractfile("f").read() == b"12345\n"  # type: ignore[union-attr]
    await _brought(engine, container)
    await engine.containers.commit(container, repository="made", tag="1")
    done = await engine.run("made:1", ["sh", "-c", "cat /etc/new /root/f; ls /bin/vi || echo gone"])
    assert done.stdout == b"new\n12345\ngone\n"
    await _limited(engine, driver)
    await _mounted_image(engine)
    await _build(engine)
    assert [document async for document in engine.system.check()][-1]["problems"] == 0


async def _brought(engine: wharf.Engine, container: str) -> None:
    """What is copied into a stopped container is its own at the next look, and is its owner's to remove."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("brought")
        member.size = 6
        tar.addfile(member, io.BytesIO(b"by cp\n"))

    async def chunks() -> AsyncIterator[bytes]:
        yield buffer.getvalue()

    await engine.containers.extract(container, "/root", chunks())
    archive = await engine.containers.archive(container, "/root/brought")
    with tarfile.open(fileobj=io.BytesIO(b"".join([piece async for piece in archive]))) as tar:
        assert tar.extractfile("brought").read() == b"by cp\n"  # type: ignore[union-attr]
    assert {"Path": "/root/brought", "Kind": 1} in await engine.containers.changes(container)


_DOCKERFILE = """\
FROM busybox AS one
RUN echo one > /made && rm /bin/vi \
 && ln /made /same && echo 1 > /plain && mkdir /d && echo old > /d/f && echo kept > /d/g
FROM one AS two
COPY <<X /d/f
new
X
RUN rm -r /d && mkdir /d && echo again > /d/h && chmod 4711 /plain
FROM busybox
RUN --mount=from=two,target=/two \
    --mount=from=two,source=/d,target=/part \
    --mount=from=two,source=/made,target=/file \
    --mount=from=two,target=/written,rw \
    --mount=type=bind,target=/context,rw \
    --mount=type=cache,from=two,source=/d,target=/cache \
    echo more > /written/more && echo less > /context/less \
    && ls /two/d /part /cache > /seen && cat /file /written/more /context/less >> /seen \
    && stat -c %a /two/plain >> /seen && (test -e /two/bin/vi || echo gone >> /seen)
COPY --from=two /made /d /all/
CMD ["sh", "-c", "cat /seen; ls /all; ls /"]
"""
_SEEN = "/cache:\nh\n\n/part:\nh\n\n/two/d:\nh\none\nmore\nless\n4711\ngone\nh\nmade\n"


async def _mounted_image(engine: wharf.Engine) -> None:
    """An image of several layers at a place in a container, whole and a part of it, for two starts."""
    host: HostConfig = {
        "Mounts": [
            {"Type": "image", "Source": "made:1", "Target": "/image"},
            {"Type": "image", "Source": "made:1", "Target": "/part", "ImageOptions": {"Subpath": "etc"}},
        ]
    }
    script = (
        "cat /image/etc/new /part/new; test -e /image/bin/vi || echo gone; touch /image/x 2>/dev/null || echo refused"
    )
    created = await engine.containers.create(
        {"Image": "busybox", "Cmd": ["sh", "-c", script], "Tty": True, "HostConfig": host}, name="sees"
    )
    container = str(created["Id"])
    for _ in range(2):
        await engine.containers.start(container)
        await (await engine.containers.wait(container))
    log = b"".join([chunk async for chunk in await engine.containers.logs(container, stderr=False)])
    assert log == b"new\r\nnew\r\ngone\r\nrefused\r\n" * 2
    await engine.containers.remove(container)


async def _build(engine: wharf.Engine) -> None:
    """Every way in which a step's files are put together."""
    lines = await build(engine, _DOCKERFILE, {"a": "1"})
    assert not error(lines)
    done = await engine.run("made")
    seen, names = done.stdout.decode()[: len(_SEEN)], done.stdout.decode()[len(_SEEN) :].split()
    assert seen == _SEEN
    own = (await engine.run("busybox", ["ls", "/"])).stdout.decode().split()
    assert names == sorted({*own, "all", "seen"})  # no mount point is left behind


async def _limited(engine: wharf.Engine, driver: str) -> None:
    limited: HostConfig = {"StorageOpt": {"size": "20m"}}
    write = ["sh", "-c", "dd if=/dev/urandom of=/f bs=1M count=30; ls -s /f"]
    if driver != "btrfs":
        with pytest.raises(NotImplementedHere, match="--storage-opt is"):
            await engine.run("made:1", write, host_config=limited)
        return
    done = await engine.run("made:1", write, host_config=limited)
    assert b"quota exceeded" in done.stderr
    assert 0 < int(done.stdout.split()[0]) < 20 << 10


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_container_lives_alike_on_each_driver(driver: str, place: Path) -> None:
    async def main() -> None:
        async with wharf.Engine(place, options=EngineOptions(storage_driver=driver)) as engine:
            try:
                await _live(engine, driver)
            finally:
                for container in await engine.containers.list(all=True):
                    await engine.containers.remove(str(container["Id"]), force=True, volumes=True)

    asyncio.run(main())
    assert list((place / "containers").iterdir()) == []
    assert list((place / "ingest").iterdir()) == []
    assert str(place / "containers") not in Path("/proc/self/mountinfo").read_text()


@pytest.mark.parametrize("driver", ["vfs"])
def test_containers_of_another_driver_are_not_opened(driver: str, place: Path) -> None:
    async def main() -> None:
        async with wharf.Engine(place) as engine:
            await engine.containers.create({"Image": "busybox", "Cmd": ["true"]}, name="cc")
        with pytest.raises(Conflict, match="containers of the storage driver overlay2"):
            async with wharf.Engine(place, options=EngineOptions(storage_driver=driver)):
                pass
        async with wharf.Engine(place) as engine:
            await engine.containers.remove("cc")

    asyncio.run(main())
