from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import wharf
from wharf.spec.engine_api.container import CreateContainer, HealthConfig

pytestmark = pytest.mark.root

OnEngine = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]
MS = 1_000_000


def _box(check: HealthConfig, **host: object) -> CreateContainer:
    return {
        "Image": "busybox",
        "Cmd": ["sleep", "100"],
        "StopTimeout": 0,
        "Healthcheck": {"Interval": 50 * MS, "Retries": 1, **check},
        "HostConfig": {"NetworkMode": "none", **host},  # type: ignore[typeddict-item]
    }


async def _processes(engine: wharf.Engine) -> dict[str, str]:
    """What runs in the container, and its process id on the host."""
    top = await engine.containers.top("box", ps_args="-eo pid,args")
    return {row[1]: row[0] for row in top["Processes"] or []}


async def _becomes(engine: wharf.Engine, status: str) -> dict[str, object]:
    async with asyncio.timeout(60):
        while True:
            health = (await engine.containers.inspect("box"))["State"].get("Health") or {}  # type: ignore[union-attr]
            if health.get("Status") == status and health.get("Log"):
                return dict(health)
            await asyncio.sleep(0.02)


def test_a_container_is_as_its_check_says(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(_box({"Test": ["CMD-SHELL", "echo $0; test -e /ok"]}), name="box")
        await engine.containers.start("box")
        sick = await _becomes(engine, "unhealthy")
        listed = await engine.containers.list(filters={"health": ["unhealthy"]})
        await engine.execs.start(
            await engine.execs.create("box", {"Cmd": ["touch", "/ok"]}), detach=True, tty=False, console_size=None
        )
        await _becomes(engine, "healthy")
        assert sick["Log"][-1]["Output"] == "/bin/sh\n"  # type: ignore[index]
        assert (listed[0]["Status"] or "").endswith("(unhealthy)")

    on_engine(body)


def test_a_probe_that_takes_too_long_is_ended(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        check: HealthConfig = {"Test": ["CMD", "sleep", "5000"], "Timeout": 50 * MS, "Interval": 400 * MS}
        await engine.containers.create(_box(check), name="box")
        await engine.containers.start("box")
        health = await _becomes(engine, "unhealthy")
        assert health["Log"][0]["Output"] == "Health check exceeded timeout (50ms)"  # type: ignore[index]
        async with asyncio.timeout(60):  # between two probes
            while set(await _processes(engine)) != {"sleep 100"}:
                pass

    on_engine(body)


def test_an_unhealthy_container_is_restarted_as_often_as_its_policy_says(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        policy = {"Name": "unhealthy", "MaximumRetryCount": 1}
        await engine.containers.create(_box({"Test": ["CMD", "false"]}, RestartPolicy=policy), name="box")
        await engine.containers.start("box")
        watching = engine.system.events(since="0", filters={"event": ["health_status"]})
        async with asyncio.timeout(60):
            for _ in range(2):  # once in each life
                await anext(watching)
        await asyncio.sleep(0.3)
        found = await engine.containers.inspect("box")
        assert (found["RestartCount"], found["State"]["Running"]) == (1, True)  # type: ignore[index]

    on_engine(body)


def test_the_next_engine_goes_on_and_ends_the_probe_it_finds(root: Path) -> None:
    async def first() -> str:
        async with wharf.Engine(root) as engine:
            check: HealthConfig = {"Test": ["CMD-SHELL", "test -e /ok || exit 1; sleep 77"], "Interval": 300 * MS}
            await engine.containers.create(_box(check), name="box")
            await engine.containers.start("box")
            await _becomes(engine, "unhealthy")
            await engine.execs.start(
                await engine.execs.create("box", {"Cmd": ["touch", "/ok"]}), detach=True, tty=False, console_size=None
            )
            async with asyncio.timeout(60):
                while "sleep 77" not in (running := await _processes(engine)):
                    pass
            return running["sleep 77"]

    async def second(found: str) -> None:
        async with wharf.Engine(root) as engine:
            try:
                health = (await engine.containers.inspect("box"))["State"]["Health"]  # type: ignore[index]
                assert (health or {})["Status"] == "unhealthy"
                async with asyncio.timeout(60):  # less than it would sleep; the next probe is another process
                    while found in (await _processes(engine)).values():
                        pass
            finally:
                await engine.containers.remove("box", force=True)

    asyncio.run(second(asyncio.run(first())))
