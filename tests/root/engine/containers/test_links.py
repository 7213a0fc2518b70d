from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

import wharf
from wharf.errors import InvalidArgument, NotFound
from wharf.spec.engine_api.container import CreateContainer

pytestmark = pytest.mark.root

OnEngine = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]

DB: CreateContainer = {
    "Image": "busybox",
    "Cmd": ["sleep", "100"],
    "Env": ["USER=x", "HOME=/y"],
    "ExposedPorts": {"53/udp": {}, "5432/tcp": {}},
    "StopTimeout": 0,
    "HostConfig": {"NetworkMode": "bridge"},
}


def _web(script: str) -> CreateContainer:
    return {
        "Image": "busybox",
        "Cmd": ["sh", "-c", script],
        "StopTimeout": 0,
        "HostConfig": {"NetworkMode": "bridge", "Links": ["first:db-1"]},
    }


async def _output(engine: wharf.Engine, name: str) -> list[str]:
    await (await engine.containers.wait(name))
    log = await engine.containers.logs(name)
    return [chunk[8:].decode().rstrip("\n") async for chunk in log]


def test_a_linked_container_is_known_by_its_alias_and_by_variables(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(DB, name="first")
        await engine.containers.create(_web("env | grep DB_1_; grep db-1 /etc/hosts"), name="web")
        with pytest.raises(InvalidArgument, match="Cannot link to a non running container: /first AS /web/db-1"):
            await engine.containers.start("web")
        await engine.containers.start("first")
        await engine.containers.start("web")
        found = await engine.containers.inspect("first")
        address = found["NetworkSettings"]["IPAddress"]  # type: ignore[index]
        assert sorted(await _output(engine, "web")) == sorted(
            [
                "DB_1_ENV_USER=x",
                "DB_1_NAME=/web/db-1",
                f"DB_1_PORT=tcp://{address}:5432",
                f"DB_1_PORT_5432_TCP=tcp://{address}:5432",
                f"DB_1_PORT_5432_TCP_ADDR={address}",
                "DB_1_PORT_5432_TCP_PORT=5432",
                "DB_1_PORT_5432_TCP_PROTO=tcp",
                f"DB_1_PORT_53_UDP=udp://{address}:53",
                f"DB_1_PORT_53_UDP_ADDR={address}",
                "DB_1_PORT_53_UDP_PORT=53",
                "DB_1_PORT_53_UDP_PROTO=udp",
                f"{address}\tdb-1 {(found['Id'] or '')[:12]} first",
            ]
        )
        assert (await engine.containers.inspect("web"))["HostConfig"]["Links"] == ["/first:/web/db-1"]  # type: ignore[index]

    on_engine(body)


def test_a_linked_container_that_starts_again_is_found_at_its_new_address(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(DB, name="first")
        await engine.containers.start("first")
        await engine.containers.create(
            _web("while [ ! -e /go ]; do sleep 0.05; done; grep db-1 /etc/hosts"), name="web"
        )
        await engine.containers.start("web")
        await engine.containers.stop("first")
        await engine.containers.create(DB, name="taker")
        await engine.containers.start("taker")  # may take the first one's address
        await engine.containers.start("first")
        created = await engine.execs.create("web", {"Cmd": ["touch", "/go"]})
        await engine.execs.start(created, detach=True, tty=False, console_size=None)
        found = await engine.containers.inspect("first")
        address = found["NetworkSettings"]["IPAddress"]  # type: ignore[index]
        assert [line.split("\t")[0] for line in await _output(engine, "web")] == [address]

    on_engine(body)


def test_a_link_can_be_removed(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(DB, name="first")
        await engine.containers.create(_web("true"), name="web")
        assert [c["Names"] for c in await engine.containers.list(all=True)] == [["/web"], ["/first", "/web/db-1"]]
        assert (await engine.containers.inspect("web/db-1"))["Name"] == "/first"
        with pytest.raises(NotFound, match="No such container: web/other"):
            await engine.containers.remove("web/other", link=True)
        await engine.containers.remove("/web/db-1", link=True)
        assert [c["Names"] for c in await engine.containers.list(all=True)] == [["/web"], ["/first"]]
        await engine.containers.start("web")

    on_engine(body)


@pytest.mark.parametrize(
    ("mode", "links", "said"),
    [("bridge", ["nobody"], "could not get container for nobody"), ("host", ["first"], "conflicting options")],
)
def test_what_cannot_be_linked(on_engine: OnEngine, mode: str, links: list[str], said: str) -> None:
    async def body(engine: wharf.Engine) -> None:
        with pytest.raises(InvalidArgument, match=said):
            await engine.containers.create(
                {"Image": "busybox", "Cmd": ["true"], "HostConfig": {"NetworkMode": mode, "Links": links}}
            )

    on_engine(body)
