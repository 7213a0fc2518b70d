"""Containers whose users are others on the machine: what they see, what the disk has, what they are refused."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.root.engine.conftest import Body

import wharf
from wharf.engine.options import EngineOptions
from wharf.errors import Conflict, InvalidArgument
from wharf.lib.remap import Remap
from wharf.spec.engine_api.container import HostConfig

pytestmark = pytest.mark.root

FIRST = 200_000
IDS = Remap(((FIRST, 65_536),), ((FIRST, 65_536),))


@dataclass
class Place:
    """One engine that remaps users, for all tests here: to enter an engine takes longer than most of them."""

    run: Callable[[Body], None]
    root: Path


@pytest.fixture(scope="module")
def place(stocked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("remapped") / "root"
    subprocess.run(["cp", "-a", stocked, root], check=True)
    with asyncio.Runner() as runner:
        engine = wharf.Engine(root, options=EngineOptions(userns_remap=IDS))
        runner.run(engine.__aenter__())

        async def bounded(body: Body) -> None:
            await asyncio.wait_for(body(engine), 120)

        yield Place(lambda body: runner.run(bounded(body)), root)

        async def end() -> None:
            for container in await engine.containers.list(all=True):
                await engine.containers.remove(container["Id"] or "", force=True, volumes=True)
            await engine.__aexit__(None, None, None)

        runner.run(end())


async def said(engine: wharf.Engine, script: str, network: str = "none", **host: Any) -> list[str]:
    config: HostConfig = host  # type: ignore[assignment]
    done = await engine.run("busybox", ["sh", "-c", script], network=network, host_config=config)
    assert done.exit_code == 0, done.stderr
    return done.stdout.decode().split()


def test_root_inside_is_somebody_else_on_the_machine_and_files_keep_the_containers_ids(place: Place) -> None:
    async def body(engine: wharf.Engine) -> None:
        script = "id -u; cat /proc/self/uid_map; touch /v/new; chown 7:8 /v/new; stat -c %u:%g /bin /etc/hosts /v/new"
        found = await said(engine, script, Mounts=[{"Type": "volume", "Source": "vol", "Target": "/v"}])

        assert found == ["0", "0", str(FIRST), "65536", "0:0", "0:0", "7:8"]
        new = (place.root / "volumes/vol/_data/new").stat()
        assert (new.st_uid, new.st_gid) == (7, 8)

    place.run(body)


def test_its_network_is_its_own_to_administer_and_the_hosts_is_not(place: Place) -> None:
    async def body(engine: wharf.Engine) -> None:
        script = (
            "cat /proc/sys/net/core/somaxconn; ping -c1 -q 127.0.0.1 >/dev/null && echo pinged; ls /sys/class/net; "
            "ip link set lo down && echo administered"
        )
        for network, links in (("none", ["lo"]), ("bridge", ["eth0", "lo"])):
            found = await said(engine, script, network, CapAdd=["NET_ADMIN"], Sysctls={"net.core.somaxconn": "99"})
            assert found == ["99", "pinged", *links, "administered"]

    place.run(body)


def test_its_streams_are_its_own_also_to_a_user_of_its_own(place: Place) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with engine.workspace("busybox") as work:
            for user in ("0", "1000"):
                done = await work.run(["sh", "-c", "echo out >/dev/stdout; echo err >/dev/stderr"], user=user)
                assert (done.exit_code, done.stdout, done.stderr) == (0, b"out\n", b"err\n")

    place.run(body)


def test_a_bind_mount_is_as_the_machine_has_it_and_a_new_folder_is_roots_inside(place: Place, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "file").touch()
    os.chown(tmp_path / "file", FIRST + 5, 0)

    async def body(engine: wharf.Engine) -> None:
        found = await said(
            engine, "stat -c %u:%g /b/file /n; touch /n/x", Binds=[f"{tmp_path}:/b", f"{tmp_path}/new/er:/n"]
        )
        assert found == ["5:65534", "0:0"]
        assert {path.stat().st_uid for path in (tmp_path / "new", tmp_path / "new/er/x")} == {FIRST}

    place.run(body)


def test_files_are_copied_in_and_out_of_a_running_container_with_its_ids(place: Place) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with engine.workspace("busybox") as work:
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w") as tar:
                entry = tarfile.TarInfo("file")
                entry.uid, entry.gid = 7, 8
                tar.addfile(entry)
                entry.name, entry.uid = "other", 70_000
                alien = io.BytesIO()
                with tarfile.open(fileobj=alien, mode="w") as other:
                    other.addfile(entry)

            async def chunks(data: bytes) -> Any:
                yield data

            await engine.containers.extract(work.id, "/tmp", chunks(packed.getvalue()))
            with pytest.raises(InvalidArgument, match="owner 70000:8 does not exist in the container"):
                await engine.containers.extract(work.id, "/tmp", chunks(alien.getvalue()))
            done = await work.run(["stat", "-c", "%u:%g", "/tmp/file"])
            archive = await engine.containers.archive(work.id, "/tmp/file")
            try:
                back = b"".join([chunk async for chunk in archive])
            finally:
                await archive.aclose()

        assert done.stdout == b"7:8\n"
        with tarfile.open(fileobj=io.BytesIO(back)) as tar:
            assert [(one.name, one.uid, one.gid) for one in tar] == [("file", 7, 8)]

    place.run(body)


def test_who_asks_for_the_hosts_users_has_them(place: Place) -> None:
    async def body(engine: wharf.Engine) -> None:
        for network in ("none", "bridge", "host"):
            found = await said(engine, "cat /proc/self/uid_map", network, UsernsMode="host")
            assert found == ["0", "0", "4294967295"]

    place.run(body)


def test_namespaces_are_shared_within_a_user_namespace_and_not_across(place: Place) -> None:
    async def body(engine: wharf.Engine) -> None:
        on_host: HostConfig = {"UsernsMode": "host"}
        async with engine.workspace("busybox") as work, engine.workspace("busybox", host_config=on_host) as host:
            shared = f"container:{work.id}"
            same = "readlink /proc/self/ns/user"
            theirs = (await work.run(["sh", "-c", same])).stdout.decode().split()
            assert await said(engine, same, shared) == theirs
            assert await said(engine, f"{same}; ls /sys/class/net", "bridge", PidMode=shared) == [
                *theirs,
                "eth0",
                "lo",
            ]
            with pytest.raises(Conflict, match="in the host's user namespace: use --userns=host"):
                await said(engine, "true", "none", PidMode=f"container:{host.id}")

    place.run(body)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (
            {"Privileged": True},
            "privileged mode is incompatible with user namespaces.  You must run the container in",
        ),
        ({"NetworkMode": "host"}, "cannot share the host's network namespace when user namespaces are enabled"),
        ({"PidMode": "host"}, "cannot share the host PID namespace when user namespaces are enabled"),
    ],
)
def test_the_hosts_namespaces_and_all_rights_are_refused_in_dockers_words(
    place: Place, asked: dict[str, Any], text: str
) -> None:
    async def body(engine: wharf.Engine) -> None:
        with pytest.raises(InvalidArgument, match=text):
            await engine.containers.create({"Image": "busybox", "Cmd": ["true"], "HostConfig": asked})  # type: ignore[typeddict-item]

    place.run(body)


def test_a_container_from_before_there_were_mappings_is_refused_in_the_same_words(place: Place) -> None:
    async def body(engine: wharf.Engine) -> None:
        made = await engine.containers.create(
            {"Image": "busybox", "Cmd": ["true"], "HostConfig": {"NetworkMode": "host", "UsernsMode": "host"}}
        )
        container = engine.containers._context.registry.resolve(made["Id"])
        before: HostConfig = {**container.spec.host_config, "UsernsMode": ""}
        container.spec = replace(container.spec, host_config=before)
        with pytest.raises(InvalidArgument, match="cannot share the host's network namespace"):
            await engine.containers.start(made["Id"])
        await engine.containers.remove(made["Id"])

    place.run(body)
