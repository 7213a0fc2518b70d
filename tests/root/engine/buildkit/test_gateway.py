from __future__ import annotations

import asyncio
import json

import pytest
from tests.root.engine.buildkit.conftest import BRIDGE, Client, Run, connected

import wharf
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import control_pb2 as pb
from wharf.spec.buildkit import gateway_pb2 as gateway


def job(client: Client, text: str) -> pb.SolveRequest:
    """A solve whose client is its frontend, as buildx asks."""
    request = client.request(text)
    request.Frontend = ""
    request.FrontendAttrs.clear()
    return request


async def give(client: Client, ref: str, answer: gateway.ReturnRequest) -> None:
    metadata = {"buildkit-controlapi-buildid": [ref]}
    await client.channel.unary(f"{BRIDGE}Return", answer, gateway.ReturnResponse, metadata)


def test_a_client_asks_for_the_build_itself_and_gives_the_result_back(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = job(client, "FROM busybox\nRUN echo hi > /made\nCMD cat /made\n")
            solving = asyncio.ensure_future(client.solve(request))
            metadata = {"buildkit-controlapi-buildid": [request.Ref]}
            pong = await client.channel.unary(f"{BRIDGE}Ping", gateway.PingRequest(), gateway.PongResponse, metadata)
            assert "solve.base" in {cap.ID for cap in pong.FrontendAPICaps if cap.Enabled}
            answer = await client.ask(request.Ref, gateway.SolveRequest(Frontend="dockerfile.v0"))
            config = json.loads(answer.result.metadata["containerimage.config"])
            assert config["config"]["Cmd"] == ["/bin/sh", "-c", "cat /made"]
            assert not solving.done()
            await give(client, request.Ref, gateway.ReturnRequest(result=answer.result))
            await solving
            assert (await engine.run("made")).stdout == b"hi\n"

    builds(body)


def test_an_error_of_the_clients_frontend_ends_the_build(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = job(client, "FROM busybox\n")
            solving = asyncio.ensure_future(client.solve(request))
            failure = gateway.ReturnRequest()
            failure.error.code, failure.error.message = 2, "changed my mind"
            await give(client, request.Ref, failure)
            with pytest.raises(CallFailed, match="changed my mind"):
                await solving

    builds(body)


def test_a_result_is_done_when_the_client_wants_it(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = job(client, "FROM busybox\nRUN exit 4\n")
            solving = asyncio.ensure_future(client.solve(request))
            answer = await client.ask(request.Ref, gateway.SolveRequest(Frontend="dockerfile.v0"))
            metadata = {"buildkit-controlapi-buildid": [request.Ref]}
            with pytest.raises(CallFailed, match="exit code: 4"):
                await client.channel.unary(
                    f"{BRIDGE}Evaluate",
                    gateway.EvaluateRequest(Ref=answer.result.ref.id),
                    gateway.EvaluateResponse,
                    metadata,
                )
            with pytest.raises(CallFailed, match="exit code: 4"):
                await client.ask(request.Ref, gateway.SolveRequest(Frontend="dockerfile.v0", Evaluate=True))
            solving.cancel()
            await asyncio.gather(solving, return_exceptions=True)

    builds(body)


def test_questions_about_a_dockerfile_are_answered_without_building(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = job(client, "FROM busybox AS one\nFROM one AS two\nRUN exit 1\n")
            solving = asyncio.ensure_future(client.solve(request))
            for name, wanted in (("targets", '"two"'), ("outline", "two"), ("lint", "warnings")):
                asked = gateway.SolveRequest(Frontend="dockerfile.v0", FrontendOpt={"requestid": f"frontend.{name}"})
                answer = await client.ask(request.Ref, asked)
                assert wanted in answer.result.metadata["result.json"].decode()
            asked = gateway.SolveRequest(Frontend="dockerfile.v0", FrontendOpt={"requestid": "frontend.hologram"})
            with pytest.raises(CallFailed, match=r"unsupported request frontend\.hologram"):
                await client.ask(request.Ref, asked)
            solving.cancel()
            await asyncio.gather(solving, return_exceptions=True)

    builds(body)


def test_files_of_a_result_can_be_looked_at_and_images_resolved(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = job(client, "FROM busybox\nRUN mkdir /d && echo hi > /d/f\n")
            solving = asyncio.ensure_future(client.solve(request))
            ref = (await client.ask(request.Ref, gateway.SolveRequest(Frontend="dockerfile.v0"))).result.ref.id
            metadata = {"buildkit-controlapi-buildid": [request.Ref]}
            file = gateway.ReadFileRequest(Ref=ref, FilePath="/d/f")
            read = await client.channel.unary(f"{BRIDGE}ReadFile", file, gateway.ReadFileResponse, metadata)
            folder = gateway.ReadDirRequest(Ref=ref, DirPath="/d")
            listed = await client.channel.unary(f"{BRIDGE}ReadDir", folder, gateway.ReadDirResponse, metadata)
            stat = gateway.StatFileRequest(Ref=ref, Path="/d/f")
            told = await client.channel.unary(f"{BRIDGE}StatFile", stat, gateway.StatFileResponse, metadata)
            assert (read.Data, [one.path for one in listed.entries], told.stat.size) == (b"hi\n", [b"f"], 3)
            image = gateway.ResolveImageConfigRequest(Ref="docker.io/library/busybox:latest")
            answer = gateway.ResolveImageConfigResponse
            resolved = await client.channel.unary(f"{BRIDGE}ResolveImageConfig", image, answer, metadata)
            assert resolved.Digest == (await engine.images.inspect("busybox"))["Id"]
            assert json.loads(resolved.Config)["os"] == "linux"
            source = gateway.ResolveSourceMetaRequest()
            source.Source.identifier = "docker-image://busybox"
            meta = gateway.ResolveSourceMetaResponse
            found = await client.channel.unary(f"{BRIDGE}ResolveSourceMeta", source, meta, metadata)
            assert found.Image.Digest == resolved.Digest
            solving.cancel()
            await asyncio.gather(solving, return_exceptions=True)

    builds(body)


def test_a_call_without_a_job_and_a_result_that_is_unknown_are_refused(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            with pytest.raises(CallFailed, match="no buildid"):
                await client.channel.unary(f"{BRIDGE}Ping", gateway.PingRequest(), gateway.PongResponse)
            request = job(client, "FROM busybox\n")
            solving = asyncio.ensure_future(client.solve(request))
            unknown = gateway.ReturnRequest()
            unknown.result.ref.id = "nothing"
            with pytest.raises(CallFailed, match="no such ref: nothing"):
                await give(client, request.Ref, unknown)
            solving.cancel()
            await asyncio.gather(solving, return_exceptions=True)

    builds(body)
