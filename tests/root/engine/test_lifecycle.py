"""The verbs of a container's life, on the kernel."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import os
import socket
import tarfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.root.engine.heard import says

import wharf
from wharf.engine.containers import stop
from wharf.errors import Conflict, InvalidArgument, NotFound, NotModified
from wharf.kernel.cgroup.group import Cgroup
from wharf.lib.stdcopy import Demultiplexer
from wharf.storage.layout import DataRoot

On = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]
IDLE = {"Image": "busybox", "Cmd": ["sleep", "60"], "HostConfig": {"NetworkMode": "none"}}


async def status(engine: wharf.Engine, name: str) -> tuple[str | None, int | None]:
    state = (await engine.containers.inspect(name))["State"] or {}
    return state["Status"], state["ExitCode"]


async def started(engine: wharf.Engine, name: str, *command: str, **host: object) -> None:
    request = {**IDLE, "Cmd": list(command) or IDLE["Cmd"], "HostConfig": {"NetworkMode": "none", **host}}
    await engine.containers.create(request, name=name)  # type: ignore[arg-type]
    await engine.containers.start(name)


async def log_of(engine: wharf.Engine, name: str, **query: object) -> bytes:
    stream = await engine.containers.logs(name, **query)  # type: ignore[arg-type]
    demultiplexer = Demultiplexer()
    return b"".join([data async for chunk in stream for _, data in demultiplexer.feed(chunk)])


async def exec_output(engine: wharf.Engine, name: str, *command: str) -> tuple[bytes, int | None]:
    exec_id = await engine.execs.create(name, {"Cmd": list(command), "AttachStdout": True, "AttachStderr": True})
    attached = await engine.execs.start(exec_id, detach=False, tty=False, console_size=None)
    assert attached
    with attached.socket:
        output = await drain(attached.socket)
    async with asyncio.timeout(60):
        while (document := await engine.execs.inspect(exec_id))["Running"]:  # noqa: ASYNC110  # nothing announces it
            await asyncio.sleep(0.01)
    return output, document["ExitCode"]  # type: ignore[return-value]


async def drain(stream: socket.socket) -> bytes:
    demultiplexer, found = Demultiplexer(), b""
    while chunk := await asyncio.get_running_loop().sock_recv(stream, 65536):
        found += b"".join(data for _, data in demultiplexer.feed(chunk))
    return found


def test_a_stopped_container_can_be_started_again_and_keeps_its_files(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await started(engine, "twice", "sh", "-c", "echo x >> /count; wc -l < /count")
        await (await engine.containers.wait("twice"))
        await engine.containers.start("twice")
        await (await engine.containers.wait("twice"))

        assert await log_of(engine, "twice") == b"1\n2\n"

    on_engine(body)


def test_the_next_exit_of_a_container_that_has_ended_is_that_of_its_next_run(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        script = "test -e /f && exit 4; touch /f; exit 3"
        await engine.containers.create({**IDLE, "Cmd": ["sh", "-c", script]}, name="twice")  # type: ignore[typeddict-item]
        codes = []
        for _ in range(2):
            ended = await engine.containers.wait("twice", condition="next-exit")
            await engine.containers.start("twice")
            codes.append((await ended)["StatusCode"])
        assert codes == [3, 4]

    on_engine(body)


def test_stop_asks_first_and_insists_after_the_timeout(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await started(engine, "polite", "sh", "-c", "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done")
        await started(engine, "stubborn", "sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done")
        for name in ("polite", "stubborn"):
            await says(engine, name, b"up")
        await engine.containers.stop("polite", timeout_s=60)
        await engine.containers.stop("stubborn", timeout_s=0)

        assert (await status(engine, "polite"), await status(engine, "stubborn")) == (("exited", 9), ("exited", 137))

    on_engine(body)


def test_verbs_that_do_not_fit_the_status_are_refused(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await started(engine, "busy")
        with pytest.raises(NotModified):
            await engine.containers.start("busy")
        with pytest.raises(Conflict, match="stop the container before removing or force remove"):
            await engine.containers.remove("busy")
        await engine.containers.kill("busy")
        with pytest.raises(NotModified):
            await engine.containers.stop("busy")
        with pytest.raises(Conflict, match="is not running"):
            await engine.containers.kill("busy")
        with pytest.raises(NotFound, match="No such container: nobody"):
            await engine.containers.start("nobody")

    on_engine(body)


def test_pause_freezes_and_unpause_thaws(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await started(engine, "ice", "sh", "-c", "while :; do echo >> /ticks; sleep 0.01; done")
        await engine.containers.pause("ice")
        assert await status(engine, "ice") == ("paused", 0)
        with pytest.raises(Conflict, match="is paused, unpause the container before exec"):
            await engine.execs.create("ice", {"Cmd": ["true"]})
        await engine.containers.unpause("ice")
        first, _ = await exec_output(engine, "ice", "wc", "-l", "/ticks")
        async with asyncio.timeout(60):
            while (await exec_output(engine, "ice", "wc", "-l", "/ticks"))[0] == first:
                pass

    on_engine(body)


def test_a_container_that_ends_while_it_is_frozen_is_committed_all_the_same(
    on_engine: On, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(group: Cgroup) -> None:
        raise FileNotFoundError(errno.ENOENT, "the group has gone", group.path)

    async def body(engine: wharf.Engine) -> None:
        await started(engine, "brief")
        monkeypatch.setattr(Cgroup, "freeze", gone)

        with pytest.raises(Conflict, match="is not running"):
            await engine.containers.pause("brief")
        made = await engine.containers.commit("brief")
        assert (await engine.images.inspect(made))["Id"] == made

    on_engine(body)


def test_a_name_is_unique_and_can_be_changed(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(IDLE, name="one")  # type: ignore[arg-type]
        with pytest.raises(
            Conflict, match=r'The container name "/one" is already in use by container "[0-9a-f]{64}"'
        ):
            await engine.containers.create(IDLE, name="one")  # type: ignore[arg-type]
        await engine.containers.rename("one", "two")

        assert [c["Names"] for c in await engine.containers.list(all=True)] == [["/two"]]

    on_engine(body)


def test_exec_runs_beside_init_and_reports_its_exit_code(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await started(engine, "host")

        assert await exec_output(engine, "host", "sh", "-c", "hostname; exit 4") == (
            ((await engine.containers.inspect("host"))["Id"] or "")[:12].encode() + b"\n",
            4,
        )

    on_engine(body)


def test_an_exec_of_what_does_not_exist_is_refused(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await started(engine, "host")
        exec_id = await engine.execs.create("host", {"Cmd": ["nonsense"], "AttachStdout": True})
        with pytest.raises(InvalidArgument, match="executable file not found"):
            await engine.execs.start(exec_id, detach=False, tty=False, console_size=None)

        assert (await engine.execs.inspect(exec_id))["ExitCode"] == 127
        with pytest.raises(Conflict, match=f"^exec command {exec_id} has already run$"):
            await engine.execs.start(exec_id, detach=False, tty=False, console_size=None)

    on_engine(body)


def test_logs_tail_and_follow_to_the_end(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await started(engine, "chatty", "sh", "-c", "for i in 1 2 3 4 5; do echo $i; sleep 0.05; done")

        assert await log_of(engine, "chatty", follow=True) == b"1\n2\n3\n4\n5\n"
        assert await log_of(engine, "chatty", tail="2") == b"4\n5\n"
        assert await log_of(engine, "chatty", stdout=False) == b""

    on_engine(body)


def test_a_client_that_attaches_before_the_start_misses_nothing(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create({**IDLE, "Cmd": ["echo", "first"]}, name="early")  # type: ignore[arg-type]
        attached = await engine.containers.attach("early")
        await engine.containers.start("early")
        with attached.socket:
            assert await drain(attached.socket) == b"first\n"

    on_engine(body)


def test_a_terminal_is_one_and_has_the_size_it_is_given(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(
            {**IDLE, "Cmd": ["sh", "-c", "stty -echo; tty; read go; stty size"], "Tty": True, "OpenStdin": True},  # type: ignore[arg-type]
            name="term",
        )
        attached = await engine.containers.attach("term", stdin=True)
        await engine.containers.start("term")
        await engine.containers.resize("term", rows=33, columns=101)
        received, loop = b"", asyncio.get_running_loop()
        with attached.socket:
            await loop.sock_sendall(attached.socket, b"\n")
            while chunk := await loop.sock_recv(attached.socket, 4096):
                received += chunk

        assert received.split() == [b"/dev/pts/0", b"33", b"101"]

    on_engine(body)


def test_limits_reach_the_cgroup(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await started(engine, "small", Memory=32 << 20, NanoCpus=500_000_000, PidsLimit=10)
        sample = await anext(engine.containers.stats("small", one_shot=True))
        with pytest.raises(Conflict, match="update the memoryswap at the same time"):
            await engine.containers.update("small", {"Memory": 128 << 20})
        await engine.containers.update("small", {"Memory": 64 << 20, "MemorySwap": 128 << 20, "PidsLimit": 0})
        later = await anext(engine.containers.stats("small", one_shot=True))

        assert ((sample["memory_stats"] or {})["limit"], (later["memory_stats"] or {})["limit"]) == (
            32 << 20,
            64 << 20,
        )
        assert (sample["pids_stats"] or {})["limit"] == 10
        assert (later["pids_stats"] or {})["limit"] == 2**64 - 1

    on_engine(body)


def test_a_container_that_wants_too_much_memory_is_killed_and_says_so(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await started(
            engine, "greedy", "sh", "-c", "head -c 100m /dev/zero | tail", Memory=16 << 20, MemorySwap=16 << 20
        )
        await (await engine.containers.wait("greedy"))
        state = (await engine.containers.inspect("greedy"))["State"] or {}

        assert (state["OOMKilled"], state["ExitCode"]) == (True, 137)

    on_engine(body)


def test_top_shows_the_containers_processes_only(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await started(engine, "lone", "sleep", "54.3")
        processes = (await engine.containers.top("lone", ps_args="-eo pid,args"))["Processes"] or []

        assert [p[1] for p in processes] == ["sleep 54.3"]

    on_engine(body)


def test_on_failure_restarts_as_often_as_it_says(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await started(
            engine,
            "again",
            "sh",
            "-c",
            "echo x; exit 1",
            RestartPolicy={"Name": "on-failure", "MaximumRetryCount": 2},
        )
        async with asyncio.timeout(60):  # each end ends a wait, as Docker's does
            while (await engine.containers.list(filters={"name": ["again"]})) != []:
                await (await engine.containers.wait("again"))

        assert await log_of(engine, "again") == b"x\nx\nx\n"
        assert (await engine.containers.inspect("again"))["RestartCount"] == 2

    on_engine(body)


def test_stopping_a_container_that_always_restarts_ends_it(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await started(engine, "always", "sh", "-c", "exit 1", RestartPolicy={"Name": "always"})
        await asyncio.sleep(0.4)
        await engine.containers.stop("always", timeout_s=1)
        await asyncio.sleep(0.3)

        assert (await status(engine, "always"))[0] == "exited"

    on_engine(body)


def test_auto_remove_removes(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(
            {**IDLE, "Cmd": ["true"], "HostConfig": {"AutoRemove": True, "NetworkMode": "none"}}, name="gone"
        )  # type: ignore[arg-type]
        removed = await engine.containers.wait("gone", condition="removed")
        await engine.containers.start("gone")

        assert (await removed)["StatusCode"] == 0
        assert await engine.containers.list(all=True) == []

    on_engine(body)


def test_a_bind_mount_shows_the_hosts_folder_read_only(on_engine: On, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("from the host")

    async def body(engine: wharf.Engine) -> None:
        done = await engine.run(
            "busybox", ["sh", "-c", "cat /in/file; echo x > /in/new"], host_config={"Binds": [f"{tmp_path}:/in:ro"]}
        )

        assert (done.stdout, done.exit_code) == (b"from the host", 1)
        assert b"Read-only file system" in done.stderr

    on_engine(body)


def test_a_mount_whose_source_is_missing_is_refused(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        with pytest.raises(InvalidArgument, match="bind source path does not exist: /nowhere/at/all"):
            await engine.run(
                "busybox",
                ["true"],
                host_config={"Mounts": [{"Type": "bind", "Source": "/nowhere/at/all", "Target": "/x"}]},
            )

    on_engine(body)


def test_a_published_port_answers_on_the_hosts_loopback(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(
            {
                "Image": "busybox",
                "Cmd": ["sh", "-c", "while :; do echo hello | nc -l -p 80; done"],
                "ExposedPorts": {"80/tcp": {}},
                "HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "18080"}]}},
            },
            name="web",
        )
        await engine.containers.start("web")
        assert await _read_from(18080) == b"hello\n"

        await engine.containers.create(
            {
                "Image": "busybox",
                "Cmd": ["true"],
                "HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "18080"}]}},
            },
            name="late",
        )
        with pytest.raises(wharf.errors.WharfError, match=r"port is already allocated|address already in use"):
            await engine.containers.start("late")
        assert (await status(engine, "late"))[0] == "created"

    on_engine(body)


async def _read_from(port: int) -> bytes:
    async with asyncio.timeout(60):
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:  # it does not listen yet
                await asyncio.sleep(0.05)
                continue
            try:
                return await reader.read()
            finally:
                writer.close()
                await writer.wait_closed()


def test_events_tell_a_containers_life_in_order(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.run("busybox", ["true"])
        seen = [
            event["Action"]
            async for event in engine.system.events(
                since="1", until=str(time.time()), filters={"type": ["container"]}
            )
        ]

        assert seen == ["create", "attach", "start", "die", "destroy"]

    on_engine(body)


def test_a_container_that_goes_with_its_end_stays_through_a_restart(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        asked = {
            "Image": "busybox",
            "Cmd": ["sleep", "60"],
            "HostConfig": {"AutoRemove": True},  # in a network: giving its place back takes a moment
        }
        await engine.containers.create(asked, name="box")  # type: ignore[arg-type]  # such a request
        await engine.containers.start("box")
        await engine.containers.restart("box", timeout_s=0)

        assert ((await engine.containers.inspect("box")).get("State") or {}).get("Status") == "running"
        gone = await engine.containers.wait("box", condition="removed")
        await engine.containers.stop("box", timeout_s=0)
        await gone
        assert await engine.containers.list(all=True) == []

    on_engine(body)


def test_a_container_that_goes_with_its_end_goes_when_nobody_waits_for_its_restart(
    on_engine: On, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(engine: wharf.Engine) -> None:
        launching = asyncio.Event()

        async def never(*_: object) -> None:
            launching.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(stop, "launch", never)
        await started(engine, "box", AutoRemove=True)
        gone = await engine.containers.wait("box", condition="removed")
        restarting = asyncio.create_task(engine.containers.restart("box", timeout_s=0))
        await launching.wait()
        restarting.cancel()
        await gone
        assert await engine.containers.list(all=True) == []

    on_engine(body)


def test_events_tell_with_which_signals_a_container_was_ended(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await started(engine, "box", "sleep", "60")  # init ignores what it does not handle
        await engine.containers.restart("box", timeout_s=0)
        await engine.containers.stop("box", timeout_s=0)
        await engine.containers.start("box")
        await engine.containers.remove("box", force=True)
        seen = [
            event["Action"] + event["Actor"]["Attributes"].get("signal", "")
            async for event in engine.system.events(
                since="1", until=str(time.time()), filters={"type": ["container"]}
            )
        ]

        ended = ["kill15", "kill9", "die", "stop"]
        assert seen[2:] == [*ended, "start", "restart", *ended, "start", "kill9", "die", "destroy"]

    on_engine(body)


def test_the_network_of_another_container_can_be_shared(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await started(engine, "first", "sleep", "60", NetworkMode="bridge")
        address = ((await engine.containers.inspect("first"))["NetworkSettings"] or {})["IPAddress"] or ""
        done = await engine.run("busybox", ["ip", "-4", "-o", "addr"], network="container:first")

        assert address.encode() in done.stdout

    on_engine(body)


def test_the_last_container_of_an_image_that_was_removed_takes_its_layers_along(root: Path) -> None:
    async def main() -> None:
        async with wharf.Engine(root) as engine:
            await engine.containers.create(IDLE, name="box")  # type: ignore[arg-type]
            await engine.images.remove("busybox", force=True)
            image = (await engine.containers.inspect("box"))["Image"] or ""
            if image in {one["Id"] for one in await engine.images.list()}:
                await engine.images.remove(image, force=True)
            assert list(DataRoot(root).snapshots.iterdir())
            await engine.containers.remove("box")

    asyncio.run(main())
    assert list(DataRoot(root).snapshots.iterdir()) == []


def test_a_repository_without_a_latest_is_saved_with_all_its_tags(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        for tag in ("a", "b"):
            await engine.images.tag("busybox", repository="many", tag=tag)
        archive = b"".join([chunk async for chunk in engine.images.save(["many"])])
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            [image] = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]  # it is a file

        assert image["RepoTags"] == ["many:a", "many:b"]

    on_engine(body)


def test_a_save_that_is_left_closes_its_files_at_once(on_engine: On) -> None:
    def opened() -> list[str]:
        links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
        return [target for link in links if os.path.lexists(link) and "/blobs/" in (target := os.readlink(link))]

    async def body(engine: wharf.Engine) -> None:
        archive = engine.images.save(["busybox"])
        await anext(archive)
        assert opened()
        await archive.aclose()  # type: ignore[attr-defined]  # it is a generator
        assert opened() == []

    on_engine(body)


def test_a_list_of_images_counts_their_containers(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        (before,) = await engine.images.list()
        await engine.containers.create({"Image": "busybox", "Cmd": ["true"]}, name="one")
        (after,) = await engine.images.list()

        assert (before["Containers"], after["Containers"]) == (0, 1)


def test_nobody_else_gets_to_programs_that_a_container_leaves_on_the_disk(on_engine: On, root: Path) -> None:
    root.chmod(0o755)  # as an older engine, or whoever made the folder, has left it

    async def body(_engine: wharf.Engine) -> None:
        assert os.stat(root).st_mode & 0o777 == 0o710

    on_engine(body)
