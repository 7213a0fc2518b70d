"""Documents of records, through containerd's content service; what they say is test_outcomes's too."""

from __future__ import annotations

import json

import pytest
from tests.root.engine.buildkit.conftest import Client, Run, connected

import wharf
from wharf.engine.buildkit.content import SERVICE
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import content_pb2 as content
from wharf.spec.buildkit import control_pb2 as pb


async def read(client: Client, digest: str, offset: int = 0, size: int = 0) -> bytes:
    async with client.channel.open(f"{SERVICE}Read") as call:
        request = content.ReadContentRequest(digest=digest, offset=offset, size=size)
        await call.send(request.SerializeToString())
        await call.finish()
        return b"".join([content.ReadContentResponse.FromString(one).data async for one in call.messages()])


async def record_of(client: Client, ref: str) -> pb.BuildHistoryRecord:
    async with client.channel.open("/moby.buildkit.v1.Control/ListenBuildHistory") as call:
        await call.send(pb.BuildHistoryRequest(Ref=ref, EarlyExit=True).SerializeToString())
        await call.finish()
        (event,) = [pb.BuildHistoryEvent.FromString(one) async for one in call.messages()]
        return event.record


def test_documents_of_records_and_blobs_of_images_are_read(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request("FROM busybox\nRUN echo made > /f\n")
            await client.solve(request)
            record = await record_of(client, request.Ref)
            (said,) = record.Result.Attestations
            info = await client.channel.unary(
                f"{SERVICE}Info", content.InfoRequest(digest=said.digest), content.InfoResponse
            )
            whole = await read(client, said.digest)
            assert len(whole) == info.info.size == said.size
            predicate = json.loads(whole)
            assert predicate["invocation"]["environment"]["platform"].startswith("linux/")
            assert predicate["materials"][0]["uri"].startswith("pkg:docker/busybox")
            assert "RUN" not in record.error.message
            assert await read(client, said.digest, 3, 4) == whole[3:7]
            manifest = json.loads(await read(client, record.Result.Results[0].digest))
            assert len(manifest["layers"]) == 2
            assert (await read(client, record.trace.digest)).count(b"\n") > 3

    builds(body)


def test_what_is_not_there_is_not_found(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            with pytest.raises(CallFailed, match="not found"):
                await read(client, "sha256:" + "0" * 64)
            with pytest.raises(CallFailed, match="invalid"):
                await read(client, "../../etc/passwd")
            request = client.request("FROM busybox\n")
            await client.solve(request)
            record = await record_of(client, request.Ref)
            with pytest.raises(CallFailed, match="there is no part at 9999999"):
                await read(client, record.trace.digest, 9_999_999)

    builds(body)
