from __future__ import annotations

import asyncio
import json

import pytest
from tests.root.engine.buildkit.conftest import Run, connected
from tests.root.engine.buildkit.test_content import read, record_of

import wharf
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit.status_pb2 import Status


def test_a_record_says_how_each_platform_was_made_whether_or_not_images_do(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            client.fake.folders["context"] = {"f": b"x"}
            request = client.request("FROM scratch\nCOPY f /f\n", platform="linux/amd64,linux/arm64")
            request.FrontendAttrs["build-arg:V"] = "1"
            response = await client.solve(request)
            record = await record_of(client, request.Ref)
            assert sorted(record.Results) == ["linux/amd64", "linux/arm64"]
            for info in record.Results.values():
                said = json.loads(await read(client, info.Attestations[0].digest))
                assert said["buildConfig"]["llbDefinition"]
                assert said["invocation"]["parameters"]["args"]["build-arg:V"] == "1"
            assert record.Result.Results[0].digest == response["containerimage.digest"]

    builds(body)


def test_a_failed_build_is_in_the_history_with_its_reason_lines_and_output(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request("FROM busybox\nRUN echo so far; exit 3\n")
            with pytest.raises(CallFailed, match="exit code: 3"):
                await client.solve(request)
            record = await record_of(client, request.Ref)
            assert "did not complete successfully: exit code: 3" in record.error.message
            status = Status.FromString(await read(client, record.externalError.digest))
            assert [one.type_url.rpartition("/")[2] for one in status.details] == [
                "errdefs.Vertex+json",
                "errdefs.Source+json",
            ]
            assert (await client.follow(request.Ref)).logs == "so far\n"
            assert not record.Result.Attestations

    builds(body)


def test_a_build_that_was_given_up_is_in_the_history_as_such(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request("FROM busybox\nRUN echo begun; sleep 600\n")
            solving = asyncio.ensure_future(client.solve(request))
            async with client.channel.open("/moby.buildkit.v1.Control/Status") as call:
                await call.send(b"\n" + bytes([len(request.Ref)]) + request.Ref.encode())
                async for message in call.messages():
                    if b"begun" in message:
                        break
            solving.cancel()
            await asyncio.gather(solving, return_exceptions=True)
        async with connected(engine) as client:
            record = await record_of(client, request.Ref)
            assert (record.error.code, record.error.message) == (1, "context canceled")

    builds(body)


def test_records_outlive_the_engine_and_can_be_followed_after_it(builds: Run) -> None:
    refs: list[str] = []

    async def before(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request("FROM busybox\nRUN echo remembered\n")
            refs.append(request.Ref)
            await client.solve(request)

    async def after(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            record = await record_of(client, refs[0])
            assert json.loads(await read(client, record.Result.Attestations[0].digest))["materials"]
            assert (await client.follow(refs[0])).logs == "remembered\n"

    builds(before)
    builds(after)
