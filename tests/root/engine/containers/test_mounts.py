from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import wharf
from wharf.engine.containers import mounts
from wharf.errors import Conflict, InvalidArgument, WharfError
from wharf.kernel import mount
from wharf.kernel.mount import MountFlag, UmountFlag
from wharf.spec.engine_api.container import HostConfig, Mount

pytestmark = pytest.mark.root

OnEngine = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]


async def _run(engine: wharf.Engine, script: str, **host: object) -> str:
    config: HostConfig = host  # type: ignore[assignment]
    done = await engine.run("busybox", ["sh", "-c", script], host_config=config)
    return f"{done.stdout.decode()}{done.stderr.decode()}"


def test_a_part_of_a_volume_is_found_inside_it(on_engine: OnEngine, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("host")

    async def body(engine: wharf.Engine) -> None:
        await _run(engine, f"mkdir -p /v/a/b; echo part > /v/a/b/f; ln -s {tmp_path} /v/out", Binds=["vol:/v"])

        def part(subpath: str) -> dict[str, list[Mount]]:
            return {
                "Mounts": [{"Type": "volume", "Source": "vol", "Target": "/p", "VolumeOptions": {"Subpath": subpath}}]
            }

        assert await _run(engine, "cat /p/f", **part("a/b")) == "part\n"
        with pytest.raises(InvalidArgument, match="cannot access path"):
            await _run(engine, "cat /p/secret", **part("a/none"))
        with pytest.raises(InvalidArgument, match=r"escapes the base directory, base: .*_data, subpath: out"):
            await _run(engine, "cat /p/secret", **part("out"))
        await engine.volumes.remove("vol")

    on_engine(body)


def test_a_missing_source_is_made_for_the_containers_root_and_what_leads_there_stays_whose_it_is(
    tmp_path: Path,
) -> None:
    mounts.make_folder(tmp_path / "a/b", (4000, 5000))

    made = [(path.stat().st_uid, path.stat().st_gid) for path in (tmp_path, tmp_path / "a", tmp_path / "a/b")]
    assert made == [(0, 0), (4000, 5000), (4000, 5000)]


def test_a_symlink_that_is_put_in_place_of_a_new_source_leads_to_nobody_elses_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = tmp_path / "host"
    host.mkdir()
    mkdir = os.mkdir

    def raced(name: str, *, dir_fd: int) -> None:
        mkdir(name, dir_fd=dir_fd)
        (tmp_path / "a").rename(tmp_path / "away")
        (tmp_path / "a").symlink_to(host)

    monkeypatch.setattr(os, "mkdir", raced)
    with pytest.raises(NotADirectoryError):
        mounts.make_folder(tmp_path / "a", (4000, 5000))
    assert (host.stat().st_uid, host.stat().st_gid) == (0, 0)


def test_volumes_of_another_container(on_engine: OnEngine, tmp_path: Path) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(
            {
                "Image": "busybox",
                "Cmd": ["sh", "-c", "echo a > /anon/f"],
                "Volumes": {"/anon": {}},
                "HostConfig": {"NetworkMode": "none", "Binds": [f"{tmp_path}:/bind"]},
            },
            name="first",
        )
        await engine.containers.start("first")
        await (await engine.containers.wait("first"))
        read = await _run(engine, "cat /anon/f; touch /anon/no; touch /bind/yes", VolumesFrom=["first:ro"])
        assert read.startswith("a\ntouch: /anon/no: Read-only")
        assert "/bind/yes: Read-only" in read
        await _run(engine, "touch /bind/yes", VolumesFrom=["first"])
        assert (tmp_path / "yes").exists()
        await engine.containers.create(
            {"Image": "busybox", "Cmd": ["true"], "HostConfig": {"NetworkMode": "none", "VolumesFrom": ["first"]}},
            name="second",
        )
        await engine.containers.remove("first", volumes=True)
        assert len((await engine.volumes.list())["Volumes"] or []) == 1  # the second container has it still

    on_engine(body)


def test_an_image_can_be_mounted(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        image: Mount = {"Type": "image", "Source": "busybox", "Target": "/img"}
        assert "Read-only" in await _run(engine, "test -x /img/bin/sh && touch /img/x", Mounts=[image])

    on_engine(body)


def test_an_image_that_a_container_mounts_is_in_use(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create({"Image": "busybox", "Cmd": ["true"]}, name="maker")
        image_id = await engine.containers.commit("maker", repository="lent")
        mounted: Mount = {"Type": "image", "Source": "lent", "Target": "/img"}
        host: HostConfig = {"NetworkMode": "none", "Mounts": [mounted]}
        await engine.containers.create(
            {"Image": "busybox", "Cmd": ["test", "-x", "/img/bin/sh"], "HostConfig": host}, name="user"
        )
        with pytest.raises(Conflict, match=r"container \w{12} is using its referenced image"):
            await engine.images.remove("lent")
        await engine.images.prune({"dangling": ["false"]})
        await engine.images.remove("lent", force=True)
        await engine.containers.start("user")

        assert (await (await engine.containers.wait("user")))["StatusCode"] == 0
        await engine.containers.remove("user")
        await engine.images.remove(image_id)

    on_engine(body)


def test_a_container_that_mounts_the_image_it_is_made_from_is_one_container_of_it(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        lent: Mount = {"Type": "image", "Source": "busybox", "Target": "/img"}
        host: HostConfig = {"Mounts": [lent, {**lent, "Target": "/too"}]}
        made = await engine.containers.create({"Image": "busybox", "Cmd": ["true"], "HostConfig": host})
        (image,) = await engine.images.list(manifests=True)
        assert image["Containers"] == 1
        (manifest,) = image["Manifests"] or []
        assert (manifest["ImageData"] or {})["Containers"] == [made["Id"]]
        await engine.containers.remove(made["Id"])

    on_engine(body)


def test_a_folder_of_an_image_of_several_layers_can_be_mounted(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(
            {
                "Image": "busybox",
                "Cmd": ["sh", "-c", "mkdir /etc/more && echo new > /etc/more/f && ln -s / /etc/out"],
                "HostConfig": {"NetworkMode": "none"},
            },
            name="maker",
        )
        await engine.containers.start("maker")
        await (await engine.containers.wait("maker"))
        await engine.containers.commit("maker", repository="layered")

        def part(path: str) -> Mount:
            return {"Type": "image", "Source": "layered", "Target": "/img", "ImageOptions": {"Subpath": path}}

        said = await _run(engine, "cat /img/more/f; ls /img/passwd; touch /img/x", Mounts=[part("etc")])
        assert said.splitlines()[:2] == ["new", "/img/passwd"]
        assert "Read-only" in said
        for path, text in (
            ("etc/nope", "cannot access path etc/nope: no such file"),
            ("etc/passwd", "cannot access path etc/passwd: not a directory"),
            ("etc/out", "path concatenation escapes the base directory, subpath: etc/out"),
        ):
            with pytest.raises(WharfError, match=text):
                await _run(engine, "true", Mounts=[part(path)])

    on_engine(body)


def test_a_shared_mount_has_to_be_shared_on_the_host(on_engine: OnEngine, tmp_path: Path) -> None:
    async def body(engine: wharf.Engine) -> None:
        with pytest.raises(InvalidArgument, match="but it is not a shared mount"):
            await _run(engine, "true", Binds=[f"{tmp_path}:/x:rshared"])

    on_engine(body)


def test_what_is_mounted_below_a_shared_mount_is_seen_on_both_sides(on_engine: OnEngine, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (shared / "theirs").mkdir(parents=True)
    mount.mount(str(shared), str(shared), None, MountFlag.BIND)
    mount.mount(None, str(shared), None, MountFlag.SHARED)

    async def body(engine: wharf.Engine) -> None:
        script = "mount -t tmpfs t /x/theirs && echo seen > /x/theirs/f; ls /x"
        assert await _run(engine, script, Binds=[f"{shared}:/x:rshared"], Privileged=True) == "theirs\n"
        assert (shared / "theirs/f").read_text() == "seen\n"

    before = Path("/proc/self/mountinfo").read_text()
    try:
        on_engine(body)
    finally:
        mount.umount(str(shared), UmountFlag.DETACH)
    after = Path("/proc/self/mountinfo").read_text()
    assert {line for line in before.splitlines() if str(shared) not in line} <= set(after.splitlines())


def test_an_init_is_process_one_and_passes_signals_on(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        assert "/sbin/docker-init -- sh" in await _run(engine, "tr '\\0' ' ' < /proc/1/cmdline", Init=True)
        await engine.containers.create(
            {
                "Image": "busybox",
                "Cmd": ["sh", "-c", "echo up; exec sleep 100"],
                "HostConfig": {"NetworkMode": "none", "Init": True},
            },
            name="ini",
        )
        await engine.containers.start("ini")
        log = await engine.containers.logs("ini", follow=True)
        await anext(aiter(log))  # the init has made what it runs, so it takes signals
        await engine.containers.stop("ini", timeout_s=20)
        assert (await engine.containers.inspect("ini"))["State"]["ExitCode"] == 143  # type: ignore[index]

    on_engine(body)


def test_a_container_reads_its_own_limits(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        script = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null"
        assert await _run(engine, script, Memory=64 << 20) == f"{64 << 20}\n"

    on_engine(body)
