"""Containers and volumes of a size, in the machine of ``make vm``: other kernels may have no quotas of projects."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.quotas import KINDS, mounted

import wharf
from wharf.errors import InvalidArgument
from wharf.kernel import project_quota
from wharf.spec.engine_api.container import HostConfig
from wharf.storage.trees import opened_folder

pytestmark = pytest.mark.root

_WRITE = "dd if=/dev/zero of={0}/f bs=64k count=64; stat -f -c '%b %S' {0}; ls -s {0}/f"
_MIB = 1 << 20
_LIMITED: HostConfig = {"NetworkMode": "none", "StorageOpt": {"size": "2m"}}


@pytest.fixture(params=KINDS)
def root(request: pytest.FixtureRequest, tmp_path: Path, stocked: Path) -> Iterator[Path]:
    with mounted(request.param, tmp_path) as folder:
        subprocess.run(["cp", "-a", stocked, folder / "root"], check=True)
        yield folder / "root"


async def _written(engine: wharf.Engine, place: str, host: HostConfig) -> tuple[int, bool]:
    """Write 4 MiB at ``place``; return how large it is said to be, and whether it took no more than that."""
    done = await engine.run("busybox", ["sh", "-c", _WRITE.format(place)], host_config=host)
    shown, used = done.stdout.decode().splitlines()
    blocks, block = map(int, shown.split())
    full = b"quota exceeded" in done.stderr or b"No space left" in done.stderr  # ext4's word, and XFS's
    return blocks * block, full and 0 < int(used.split()[0]) * 1024 <= blocks * block


def _project(folder: Path) -> int:
    with opened_folder(folder) as fd:
        return project_quota.project_of(fd)


def _taken(root: Path, projects: list[int]) -> list[bool]:
    with opened_folder(root) as fd:
        return [project_quota.in_use(fd, project) for project in projects]


def test_container_and_volume_of_a_size_hold_no_more_and_leave_no_project(root: Path) -> None:
    projects: list[int] = []

    async def first() -> None:
        async with wharf.Engine(root) as engine:
            assert await _written(engine, "/root", _LIMITED) == (2 * _MIB, True)
            await engine.volumes.create({"Name": "small", "DriverOpts": {"size": "1m"}})
            made = await engine.containers.create({"Image": "busybox", "HostConfig": _LIMITED}, name="kept")
            upper = root / "containers" / str(made["Id"]) / "upper"
            projects.extend([_project(upper), _project(root / "volumes/small/_data")])
            assert _project(upper.parent / "work") == projects[0]
            assert _project(upper.parent) == 0  # a log is no part of it

    async def second() -> None:
        async with wharf.Engine(root) as engine:
            host: HostConfig = {"NetworkMode": "none", "Binds": ["small:/v"]}
            assert await _written(engine, "/v", host) == (_MIB, True)
            await engine.containers.create({"Image": "busybox", "HostConfig": _LIMITED}, name="later")
            found = await engine.containers.inspect("later")
            projects.append(_project(root / "containers" / str(found["Id"]) / "upper"))
            assert (len({*projects}), _taken(root, projects)) == (3, [True, True, True])
            for name in ("kept", "later"):
                await engine.containers.remove(name)
            await engine.volumes.remove("small")

    asyncio.run(first())
    asyncio.run(second())
    assert _taken(root, projects) == [False, False, False]


def test_size_of_a_mounted_filesystem_is_its_own(root: Path) -> None:
    async def main() -> None:
        async with wharf.Engine(root) as engine:
            options = {"type": "tmpfs", "device": "tmpfs", "size": "1m"}
            with pytest.raises(InvalidArgument, match="as in o=size=10m"):
                await engine.volumes.create({"Name": "both", "DriverOpts": options})

    asyncio.run(main())
