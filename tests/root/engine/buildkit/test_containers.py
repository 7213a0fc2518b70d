"""Containers of the gateway, which tests talk to through ExecProcess as well (test_talk.py has its rules)."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.root.engine.buildkit.conftest import BRIDGE, Client, Run, Talker, asked, connected
from tests.root.wharfd import until

import wharf
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import gateway_pb2 as gateway
from wharf.spec.buildkit.ops_pb2 import HOST
from wharf.spec.buildkit.status_pb2 import Status

FAILS = (
    "FROM busybox\nENV A=b\nWORKDIR /w\nUSER 7\n"
    "RUN --mount=type=cache,target=/c,mode=0777 --mount=type=tmpfs,target=/t --mount=type=secret,id=s,mode=0444 "
    "touch /tmp/left /c/kept; exit 7\n"
)
LOOK = "id -u; pwd; echo $A; ls /tmp /c; cat /run/secrets/s; grep -c ' /t tmpfs' /proc/mounts"


async def failure(client: Client, ref: str) -> dict[str, list[str]]:
    """Let the build of a job fail; return what is told of the files that are left."""
    with pytest.raises(CallFailed) as caught:
        await client.ask(ref, gateway.SolveRequest(Frontend="dockerfile.v0", Evaluate=True))
    details = Status.FromString(caught.value.details).details
    (left,) = [json.loads(one.value) for one in details if one.type_url.endswith("errdefs.Solve+json")]
    assert left["op"]["exec"]["meta"]["user"] == "7"
    return {name: left[name] for name in ("inputIDs", "mountIDs")} | {"mounts": left["op"]["exec"]["mounts"]}


def container(name: str, left: dict[str, list[str]], which: str = "mountIDs") -> gateway.NewContainerRequest:
    from google.protobuf.json_format import ParseDict

    request = gateway.NewContainerRequest(ContainerID=name)
    for mount, result in zip(left["mounts"], left[which], strict=True):
        ParseDict(mount, request.Mounts.add())
        request.Mounts[-1].resultID = result
    return request


def test_a_shell_sees_what_a_failed_step_has_left_as_the_step_did(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client, asked(client, FAILS) as (ref, metadata):
            client.fake.secrets["s"] = b"word\n"
            left = await failure(client, ref)
            new, made = gateway.NewContainerRequest, gateway.NewContainerResponse
            await client.channel.unary(f"{BRIDGE}NewContainer", container("after", left), made, metadata)
            await client.channel.unary(f"{BRIDGE}NewContainer", container("before", left, "inputIDs"), made, metadata)
            with pytest.raises(CallFailed, match="container after already exists"):
                await client.channel.unary(f"{BRIDGE}NewContainer", new(ContainerID="after"), made, metadata)
            async with Talker(client, metadata) as talker:
                said = await talker.run("after", "sh", "-c", LOOK, env=["A=b"], cwd="/w", user="7")
                assert (said.code, said.out.split()) == (
                    0,
                    ["7", "/w", "b", "/c:", "kept", "/tmp:", "left", "word", "1"],
                )
                said = await talker.run("before", "ls", "/tmp")
                assert (said.code, said.out) == (0, "")
            gone = gateway.ReleaseContainerRequest(ContainerID="before")
            answer = gateway.ReleaseContainerResponse
            await client.channel.unary(f"{BRIDGE}ReleaseContainer", gone, answer, metadata)
            with pytest.raises(CallFailed, match="previously released"):
                await client.channel.unary(f"{BRIDGE}ReleaseContainer", gone, answer, metadata)
            file = gateway.ReadFileRequest(Ref=left["mountIDs"][0], FilePath="/tmp/left")  # in a result
            read = await client.channel.unary(f"{BRIDGE}ReadFile", file, gateway.ReadFileResponse, metadata)
            assert read.Data == b""

    builds(body)


def test_a_container_of_a_result_takes_more_processes_and_ends_with_the_first(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with (
            connected(engine) as client,
            asked(client, "FROM busybox\nRUN echo made > /f\n") as (ref, metadata),
        ):
            answer = await client.ask(ref, gateway.SolveRequest(Frontend="dockerfile.v0"))
            request = gateway.NewContainerRequest(ContainerID="c", hostname="h")
            request.Mounts.add(dest="/", resultID=answer.result.ref.id)
            await client.channel.unary(f"{BRIDGE}NewContainer", request, gateway.NewContainerResponse, metadata)
            async with Talker(client, metadata) as talker:
                first = await talker.start("c", "cat", stdin=True)
                more = await talker.run("c", "sh", "-c", "cat /f; hostname; id -u; test -t 0; exit $?", tty=True)
                assert (more.code, more.out.split()) == (0, ["made", "h", "0"])
                failed = await talker.run("c", "nothing-of-this-name")
                assert (failed.code, "not found" in failed.error) == (255, True)
                await talker.write(first, b"to the end", last=True)
                ended = await talker.follow(first)
                assert (ended.code, ended.out) == (0, "to the end")

    builds(body)


def test_what_cannot_be_made_is_refused_and_what_is_made_goes_with_the_job(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client, asked(client, "FROM busybox\n") as (ref, metadata):
            answer = await client.ask(ref, gateway.SolveRequest(Frontend="dockerfile.v0"))
            new, made = f"{BRIDGE}NewContainer", gateway.NewContainerResponse
            request = gateway.NewContainerRequest(ContainerID="c")
            request.Mounts.add(dest="/", resultID="nothing")
            with pytest.raises(CallFailed, match="no such ref: nothing"):
                await client.channel.unary(new, request, made, metadata)
            request.Mounts[0].resultID = answer.result.ref.id
            request.platform.OS, request.platform.Architecture = "linux", "s390x"
            with pytest.raises(CallFailed, match="commands for linux/s390x cannot be run"):
                await client.channel.unary(new, request, made, metadata)
            request.ClearField("platform")
            request.Network = HOST
            with pytest.raises(CallFailed, match=r"network\.host is not allowed"):
                await client.channel.unary(new, request, made, metadata)
            request.ClearField("Network")
            await client.channel.unary(new, request, made, metadata)
            talker = Talker(client, metadata)
            async with talker:
                await talker.start("c", "sleep", "600")
            assert len(list(engine.builds._context.run.shims.iterdir())) == 1
        await asyncio.to_thread(until, lambda: not list(engine.builds._context.run.shims.iterdir()))

    builds(body)


def test_a_container_is_released_while_processes_run_in_it_and_they_are_told_to_have_ended(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client, asked(client, "FROM busybox\n") as (ref, metadata):
            answer = await client.ask(ref, gateway.SolveRequest(Frontend="dockerfile.v0"))
            request = gateway.NewContainerRequest(ContainerID="c")
            request.Mounts.add(dest="/", resultID=answer.result.ref.id)
            await client.channel.unary(f"{BRIDGE}NewContainer", request, gateway.NewContainerResponse, metadata)
            async with Talker(client, metadata) as talker:
                names = [await talker.start("c", "sleep", "600") for _ in range(3)]
                gone = gateway.ReleaseContainerRequest(ContainerID="c")
                await client.channel.unary(
                    f"{BRIDGE}ReleaseContainer", gone, gateway.ReleaseContainerResponse, metadata
                )
                assert [(await talker.follow(name)).code for name in names] == [137] * 3
            await asyncio.to_thread(until, lambda: not list(engine.builds._context.run.shims.iterdir()))

    builds(body)


def test_processes_of_a_stream_that_is_given_up_are_killed(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client, asked(client, "FROM busybox\n") as (ref, metadata):
            answer = await client.ask(ref, gateway.SolveRequest(Frontend="dockerfile.v0"))
            request = gateway.NewContainerRequest(ContainerID="c")
            request.Mounts.add(dest="/", resultID=answer.result.ref.id)
            await client.channel.unary(f"{BRIDGE}NewContainer", request, gateway.NewContainerResponse, metadata)
            async with Talker(client, metadata) as first:
                await first.start("c", "sh", "-c", "sleep 600")
                async with Talker(client, metadata) as given_up:
                    await given_up.start("c", "sleep", "601")
                async with asyncio.timeout(20):
                    while "sleep 601" in (await first.run("c", "ps")).out:
                        pass

    builds(body)
