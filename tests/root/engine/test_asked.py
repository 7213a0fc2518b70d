"""Nothing is accepted and ignored: fields of Config, of endpoints and of execs, seen to do what they say.

HostConfig has its own sweep (``containers/test_effects.py``); which field is seen where is in
``tests/data/engine_api_inputs.tsv``.
"""

from __future__ import annotations

import asyncio
import glob
import io
import os
import socket
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import wharf
from wharf.errors import Conflict, Forbidden, InvalidArgument, NotFound, NotImplementedHere, Unavailable
from wharf.lib.stdcopy import Demultiplexer

pytestmark = pytest.mark.root

On = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]
NONE = {"NetworkMode": "none"}


async def _run(engine: wharf.Engine, name: str, document: dict[str, Any]) -> list[str]:
    """Run a container to its end and return its lines."""
    await engine.containers.create({"Image": "busybox", "HostConfig": NONE, **document}, name=name)  # type: ignore[typeddict-item]
    ended = await engine.containers.wait(name, condition="next-exit")
    await engine.containers.start(name)
    await ended
    log = await engine.containers.logs(name)
    raw = b"".join([chunk if log.tty else chunk[8:] async for chunk in log])
    return raw.decode(errors="replace").split("\n")


def _remove_groups(name: str) -> None:
    """Remove a parent of control groups, which outlives its containers, as with Docker."""
    for top in ("/sys/fs/cgroup", *glob.glob("/sys/fs/cgroup/*/")):
        if not os.path.islink(top.rstrip("/")) and os.path.isdir(folder := os.path.join(top, name)):
            os.rmdir(folder)


def test_fields_of_a_containers_config_act(on_engine: On) -> None:
    script = (
        "hostname; cat /proc/sys/kernel/domainname; grep named /etc/hosts; id -u; id -g; echo $A; pwd; "
        "grep -c ' /kept ' /proc/mounts; ls /sys/class/net | tr '\\n' ' '"
    )

    async def body(engine: wharf.Engine) -> None:
        asked = {
            "Hostname": "named", "Domainname": "example.test", "User": "1000:1001", "Env": ["A=b"],
            "Entrypoint": ["sh", "-c"], "Cmd": [script], "WorkingDir": "/made", "Volumes": {"/kept": {}},
            "NetworkDisabled": True, "HostConfig": {"NetworkMode": "bridge"},
        }  # fmt: skip
        said = await _run(engine, "whole", asked)
        assert said == ["named", "example.test", "1000", "1001", "b", "/made", "1", "lo "]

        assert (await _run(engine, "terminal", {"Tty": True, "Cmd": ["tty"]}))[0] == "/dev/pts/0\r"
        sized = {"Tty": True, "Cmd": ["stty", "size"], "HostConfig": {**NONE, "ConsoleSize": [33, 77]}}
        assert (await _run(engine, "sized", sized))[0] == "33 77\r"
        parent = f"wharf-test-{os.getpid()}"
        below = {**NONE, "CgroupParent": f"/{parent}", "CgroupnsMode": "host"}
        groups = await _run(engine, "below", {"Cmd": ["cat", "/proc/self/cgroup"], "HostConfig": below})
        _remove_groups(parent)
        assert any(f"/{parent}/" in line for line in groups)
        mac = {"MacAddress": "02:42:00:00:00:77", "HostConfig": {"NetworkMode": "bridge"}}
        assert (await _run(engine, "mac", {**mac, "Cmd": ["cat", "/sys/class/net/eth0/address"]}))[0] == (
            "02:42:00:00:00:77"
        )

    on_engine(body)


def test_every_exposed_port_is_published_when_all_are_to_be(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        document: Any = {
            "Image": "busybox", "Cmd": ["sleep", "60"], "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
            "StopTimeout": 0, "HostConfig": {"NetworkMode": "bridge", "PublishAllPorts": True},
        }  # fmt: skip
        await engine.containers.create(document, name="open")
        await engine.containers.start("open")
        ports = ((await engine.containers.inspect("open"))["NetworkSettings"] or {})["Ports"] or {}
        (manifest,) = (await engine.images.inspect("busybox", manifests=True))["Manifests"]
        (listed,) = await engine.containers.list(all=True, filters={"name": ["open"]})
        assert listed["ImageManifestDescriptor"]["digest"] == manifest["ID"]
        assert (await engine.containers.inspect("open"))["ImageManifestDescriptor"] == listed[
            "ImageManifestDescriptor"
        ]
        assert {port: bool(bound and bound[0]["HostPort"]) for port, bound in ports.items()} == {
            "80/tcp": True,
            "53/udp": True,
        }

    on_engine(body)


def test_a_containers_own_signal_and_patience_stop_it(on_engine: On) -> None:
    script = "trap 'exit 7' USR1; trap '' TERM; echo up; while :; do sleep 0.05; done"

    async def body(engine: wharf.Engine) -> None:
        for name, asked in (("signal", {"StopSignal": "SIGUSR1"}), ("patience", {"StopTimeout": 0})):
            document: Any = {"Image": "busybox", "Cmd": ["sh", "-c", script], "HostConfig": NONE, **asked}
            await engine.containers.create(document, name=name)
            await engine.containers.start(name)
            log = aiter(await engine.containers.logs(name, follow=True))
            await anext(log)  # it has set its traps
            await engine.containers.stop(name)
        codes = [
            ((await engine.containers.inspect(name))["State"] or {})["ExitCode"] for name in ("signal", "patience")
        ]
        assert codes == [7, 137]

    on_engine(body)


@pytest.mark.parametrize("once", [False, True])
def test_standard_input_stays_open_unless_it_is_for_one_client(on_engine: On, once: bool) -> None:
    async def body(engine: wharf.Engine) -> None:
        document: Any = {
            "Image": "busybox", "Cmd": ["cat"], "OpenStdin": True, "StdinOnce": once, "StopTimeout": 0,
            "HostConfig": NONE,
        }  # fmt: skip
        await engine.containers.create(document, name="reads")
        await engine.containers.start("reads")
        ended = await engine.containers.wait("reads", condition="next-exit")
        attached = await engine.containers.attach("reads", stdin=True)
        with attached.socket as stream:
            stream.send(b"a line\n")
            assert await _read(stream, b"a line\n")
        if once:
            assert (await ended)["StatusCode"] == 0
        else:
            again = await engine.containers.attach("reads", stdin=True)
            with again.socket as stream:
                stream.send(b"more\n")
                assert await _read(stream, b"more\n")
            await engine.containers.kill("reads")

    on_engine(body)


async def _read(stream: socket.socket, wanted: bytes) -> bool:
    found = b""
    while wanted not in found:
        found += await asyncio.get_running_loop().sock_recv(stream, 4096)
    return True


async def _drained(stream: socket.socket, *, tty: bool) -> bytes:
    demultiplexer, found = Demultiplexer(), b""
    while chunk := await asyncio.get_running_loop().sock_recv(stream, 65536):
        found += chunk if tty else b"".join(data for _, data in demultiplexer.feed(chunk))
    return found


def test_fields_of_an_endpoint_act(on_engine: On) -> None:
    script = "ip address show mine; ip route; getent hosts beside 2>/dev/null || nslookup beside | tail -3"

    async def body(engine: wharf.Engine) -> None:
        pools = [{"Subnet": "10.7.0.0/24"}, {"Subnet": "fd00:7::/64"}]
        await engine.networks.create({"Name": "own", "EnableIPv6": True, "IPAM": {"Config": pools}})  # type: ignore[typeddict-item]
        await engine.networks.create({"Name": "other", "IPAM": {"Config": [{"Subnet": "10.8.0.0/24"}]}})
        peer: Any = {
            "Image": "busybox",
            "Cmd": ["sleep", "60"],
            "StopTimeout": 0,
            "HostConfig": {"NetworkMode": "own"},
        }
        await engine.containers.create(peer, name="peer")
        await engine.containers.start("peer")
        endpoint = {
            "IPAMConfig": {"IPv4Address": "10.7.0.9", "IPv6Address": "fd00:7::9", "LinkLocalIPs": ["169.254.7.7"]},
            "MacAddress": "02:42:00:00:00:09",
            "Aliases": ["also"],
            "Links": ["peer:beside"],
            "DriverOpts": {"com.docker.network.endpoint.ifname": "mine"},
        }
        said = "\n".join(
            await _run(
                engine,
                "asks",
                {
                    "Cmd": ["sh", "-c", script],
                    "HostConfig": {"NetworkMode": "own"},
                    "NetworkingConfig": {"EndpointsConfig": {"own": endpoint, "other": {"GwPriority": 10}}},
                },
            )
        )
        wanted = ("10.7.0.9/24", "fd00:7::9/64", "169.254.7.7", "02:42:00:00:00:09", "10.7.0.2", "via 10.8.0.1")
        shown = (await engine.containers.inspect("asks"))["NetworkSettings"] or {}
        assert [each for each in wanted if each not in said] == []
        assert "also" in ((shown["Networks"] or {})["own"]["DNSNames"] or [])

        for container in ("asks", "peer"):
            await engine.containers.remove(container, force=True)
        await engine.networks.prune({})

    on_engine(body)


def test_fields_of_an_exec_act(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        document: Any = {"Image": "busybox", "Cmd": ["sleep", "60"], "StopTimeout": 0, "HostConfig": NONE}
        await engine.containers.create(document, name="host")
        await engine.containers.start("host")

        async def said(**asked: Any) -> list[str]:
            made = await engine.execs.create("host", {"AttachStdout": True, **asked})  # type: ignore[typeddict-item]
            attached = await engine.execs.start(made, detach=False, tty=False, console_size=None)
            assert attached is not None
            with attached.socket:
                return (await _drained(attached.socket, tty=attached.tty)).decode().split()

        script = "id -u; pwd; echo $A; echo no >&2"
        plain = {"Cmd": ["sh", "-c", script], "User": "1000", "WorkingDir": "/tmp", "Env": ["A=b"]}
        assert await said(**plain) == ["1000", "/tmp", "b"]
        assert await said(**plain, AttachStderr=True) == ["1000", "/tmp", "b", "no"]
        assert await said(Cmd=["grep", "CapEff", "/proc/self/status"]) == ["CapEff:", "00000000a80425fb"]
        (_, effective) = await said(Cmd=["grep", "CapEff", "/proc/self/status"], Privileged=True)
        assert int(effective, 16) > 0xA80425FB
        made = await engine.execs.create("host", {"Cmd": ["cat"], "AttachStdin": True, "AttachStdout": True})
        attached = await engine.execs.start(made, detach=False, tty=False, console_size=None)
        assert attached is not None
        with attached.socket as stream:
            stream.send(b"typed\n")
            assert await _read(stream, b"typed\n")
        assert await said(Cmd=["stty", "size"], Tty=True, ConsoleSize=[33, 77]) == ["33", "77"]
        for user in ("nobody-here", "0:nobody-here"):
            with pytest.raises(InvalidArgument, match="nobody-here: no matching entries in"):
                await engine.execs.create("host", {"Cmd": ["true"], "User": user})
        with pytest.raises(InvalidArgument, match="Unknown character"):
            await engine.execs.create("host", {"Cmd": ["true"], "DetachKeys": "ctrl-nonsense"})

    on_engine(body)


def test_what_networks_and_volumes_cannot_have_is_refused_or_told(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        told = await engine.networks.create({"Name": "n", "IPAM": {"Options": {"colour": "red"}}})
        assert told["Warning"] == "IPAM option colour means nothing to the driver default, and is only kept"
        with pytest.raises(Unavailable, match="not a swarm manager"):
            await engine.networks.create({"Name": "m", "Ingress": True})
        with pytest.raises(Forbidden, match="swarm is not active"):
            await engine.networks.create({"Name": "m", "Scope": "swarm"})
        with pytest.raises(NotFound, match="nobodys"):
            await engine.networks.create({"Name": "m", "IPAM": {"Driver": "nobodys"}})
        with pytest.raises(Unavailable, match="not a swarm manager"):
            await engine.volumes.create({"Name": "v", "ClusterVolumeSpec": {"Group": "g"}})
        await engine.networks.remove("n")

    on_engine(body)


def test_an_update_that_names_no_restart_policy_leaves_it(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        host = {**NONE, "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}}
        await engine.containers.create({"Image": "busybox", "Cmd": ["true"], "HostConfig": host}, name="kept")  # type: ignore[typeddict-item]
        await engine.containers.update("kept", {"CpuShares": 512, "RestartPolicy": {"Name": ""}})

        kept = (await engine.containers.inspect("kept"))["HostConfig"] or {}
        assert (kept["RestartPolicy"], kept["CpuShares"]) == (host["RestartPolicy"], 512)

    on_engine(body)


def test_what_an_update_cannot_change_is_refused(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create({"Image": "busybox", "Cmd": ["true"], "HostConfig": NONE}, name="still")  # type: ignore[typeddict-item]
        for field, value in (
            ("KernelMemory", 1 << 30),
            ("Devices", [{}]),
            ("Ulimits", [{}]),
            ("Init", True),
        ):
            with pytest.raises(NotImplementedHere, match=f"updating {field}"):
                await engine.containers.update("still", {field: value})  # type: ignore[misc]
        for change, said in (
            ({"NanoCpus": 10**8, "CpuQuota": 50_000}, "Nano CPUs and CPU Period/Quota cannot both be set"),
            ({"CpusetCpus": "8000"}, "Requested CPUs are not available - requested 8000, available: "),
        ):
            with pytest.raises(InvalidArgument, match=said):
                await engine.containers.update("still", change)  # type: ignore[arg-type]  # of several types
        with pytest.raises(Conflict, match="update the memoryswap at the same time"):
            await engine.containers.update("still", {"Memory": 64 << 20})  # there is no limit yet, nor of swap
        with pytest.raises(InvalidArgument, match="Unknown character: 'x-y'"):
            await engine.containers.attach("still", stdout=True, stream=True, detach_keys="x-y")

    on_engine(body)


def test_documents_of_another_shape_are_refused_by_each_verb(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        wrong: dict[str, Any] = {"Labels": "a=b"}
        async with engine.workspace("busybox") as work:
            for refused in (
                engine.containers.create({"Image": "busybox", **wrong}),  # type: ignore[typeddict-item]  # on purpose
                engine.containers.create({"Image": "busybox", "HostConfig": {"Memmory": 1}}),  # type: ignore[typeddict-unknown-key]  # likewise
                engine.containers.update(work.id, {"Memory": "1g"}),  # type: ignore[typeddict-item]  # likewise
                engine.networks.create({"Name": "shop", **wrong}),  # type: ignore[typeddict-item]  # likewise
                engine.networks.connect("bridge", {"Container": work.id, "EndpointConfig": "x"}),  # type: ignore[typeddict-item]  # likewise
                engine.volumes.create({"Name": "data", **wrong}),  # type: ignore[typeddict-item]  # likewise
                engine.execs.create(work.id, {"Cmd": "true"}),  # type: ignore[typeddict-item]  # likewise
            ):
                with pytest.raises(InvalidArgument, match=r"Expected|Memmory"):
                    await refused

    on_engine(body)


def test_an_image_is_made_of_an_archive_at_an_address(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        async def archive(request: web.Request) -> web.Response:
            return web.Response(body=b"" if request.path != "/root.tar" else _TAR)

        async def imported(address: str) -> list[object]:
            made = engine.images.import_(
                _nothing(), repository="fetched", tag="1", message=None, changes=[], platform=None, address=address
            )
            return [document async for document in made]

        application = web.Application()
        application.router.add_get("/root.tar", archive)
        async with TestServer(application) as running:
            address = str(running.make_url("/root.tar"))
            told = await imported(address.removeprefix("http://"))
            assert told[0] == {"status": f"Downloading from {address}"}
            with pytest.raises(NotFound, match="404"):
                await imported(str(running.make_url("/none")))
        with pytest.raises(InvalidArgument, match='unsupported protocol scheme "file"'):
            await imported("file:///etc/passwd")
        assert (await engine.images.inspect("fetched:1"))["Id"] == told[-1]["status"]  # type: ignore[index]
        await engine.images.remove("fetched:1")

    on_engine(body)


async def _nothing() -> AsyncIterator[bytes]:
    for _ in ():
        yield b""


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("file"))
    return buffer.getvalue()


_TAR = _tar()
