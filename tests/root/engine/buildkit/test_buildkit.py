from __future__ import annotations

import asyncio

import pytest
from tests.fakes.links import links
from tests.root.engine.buildkit.conftest import CONTROL, Run, connected

import wharf
from wharf.errors import Conflict, InvalidArgument
from wharf.rpc.status import UNIMPLEMENTED, CallFailed
from wharf.spec.buildkit import control_pb2 as pb


def test_a_method_that_is_not_there_is_told_by_name(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            with pytest.raises(CallFailed, match="unknown method") as caught:
                await client.channel.unary(f"{CONTROL}Hologram", pb.InfoRequest(), pb.InfoResponse)
            assert caught.value.code == UNIMPLEMENTED

    builds(body)


def test_who_asks_for_its_health_is_told_that_it_serves(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client, client.channel.open("/grpc.health.v1.Health/Check") as call:
            await call.send(b"")
            await call.finish()
            assert await call.only() == b"\x08\x01"

    builds(body)


def test_a_session_has_an_id_of_its_own(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            with pytest.raises(Conflict):
                await engine.builds.hold_session(links()[0], client.session)
            with pytest.raises(InvalidArgument):
                await engine.builds.hold_session(links()[0], "")

    builds(body)


def test_a_step_that_two_builds_come_to_at_once_is_done_once(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        text = "FROM busybox\nRUN head -c 9 /dev/urandom | sha256sum; sleep 0.3\n"
        async with connected(engine) as one, connected(engine) as other:
            builds = await asyncio.gather(one.build(text), other.build(text))
            done = [told for _, told in builds if told.logs]
            known = [told for _, told in builds if told.cached() and told.cached()[-1].startswith("[2/2] RUN")]
            assert (len(done), len(known)) == (1, 1)
            assert builds[0][0] == builds[1][0]

    builds(body)


def test_builds_of_several_clients_go_on_side_by_side(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as one, connected(engine) as other:
            first, second = await asyncio.gather(
                one.build("FROM busybox\nRUN echo one\n"), other.build("FROM busybox\nRUN echo two\n")
            )
            assert (first[1].logs, second[1].logs) == ("one\n", "two\n")

    builds(body)
