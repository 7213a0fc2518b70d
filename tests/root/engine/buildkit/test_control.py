from __future__ import annotations

import asyncio

import pytest
from tests.fakes.buildkit_client import FakeClient
from tests.fakes.links import MemoryLink, links
from tests.root.engine.buildkit.conftest import CONTROL, Run, connected
from tests.root.wharfd import until

import wharf
from wharf.rpc.call import ClientCall
from wharf.rpc.server import serve
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import control_pb2 as pb


def test_an_image_is_built_and_runs_and_a_second_build_knows_it_all(builds: Run) -> None:
    text = "FROM busybox\nCOPY a/b /got\nRUN echo seen; cat /got > /made\nCMD cat /made\n"

    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            client.fake.folders["context"] = {"a/b": b"from the client\n", "not/copied": b"x"}
            first, told = await client.build(text)
            assert (await engine.run("made")).stdout == b"from the client\n"
            image = await engine.images.inspect("made")
            assert first["containerimage.config.digest"] == image["Id"]
            refs = [one["Ref"] for one in image["Identity"]["Build"]]
            assert len(refs) == 1
            assert refs[0]
            assert told.logs == "seen\n"
            assert [name for name in told.vertices if name.startswith("[")] == [
                "[internal] load build definition from Dockerfile",
                "[internal] load .dockerignore",
                "[1/3] FROM docker.io/library/busybox:latest",
                "[internal] load build context",
                "[2/3] COPY a/b /got",
                "[3/3] RUN echo seen; cat /got > /made",
            ]
            assert all(vertex.HasField("completed") for vertex in told.vertices.values())

            second, told = await client.build(text)
            assert second == first
            assert told.cached()[-2:] == ["[2/3] COPY a/b /got", "[3/3] RUN echo seen; cat /got > /made"]

    builds(body)


def test_a_client_that_goes_ends_its_build_and_nothing_is_left(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        processes = engine.builds._context.processes
        async with connected(engine) as client:
            request = client.request("FROM busybox\nRUN echo begun; sleep 600\n")
            solving = asyncio.ensure_future(client.solve(request))
            async with client.channel.open(f"{CONTROL}Status") as call:
                await call.send(pb.StatusRequest(Ref=request.Ref).SerializeToString())
                async for message in call.messages():
                    if b"begun" in message:
                        break
        with pytest.raises(CallFailed):
            await solving
        assert await engine.containers.list(all=True) == []
        until(lambda: not list(engine.builds._context.run.shims.iterdir()))
        del processes

    builds(body)


def test_what_is_refused_is_refused_by_name(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            for change, said in (
                (pb.SolveRequest(Frontend="hologram.v0"), "the frontend hologram.v0"),
                (pb.SolveRequest(EnableSessionExporter=True), "exporters of the session"),
                (pb.SolveRequest(SourcePolicySession="s"), "source policies"),
                (pb.SolveRequest(Exporters=[pb.Exporter(Type="hologram")]), "the exporter hologram"),
                (pb.SolveRequest(FrontendAttrs={"hologram": "1"}), "the frontend option hologram"),
            ):
                request = client.request("FROM busybox\n")
                request.MergeFrom(change)
                with pytest.raises(CallFailed, match=f"{said} .*not supported|{said} is not supported"):
                    await client.solve(request)

    builds(body)


def test_the_engine_tells_what_it_is(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            workers = await client.channel.unary(
                f"{CONTROL}ListWorkers", pb.ListWorkersRequest(), pb.ListWorkersResponse
            )
            info = await client.channel.unary(f"{CONTROL}Info", pb.InfoRequest(), pb.InfoResponse)
            assert workers.record[0].platforms[0].OS == "linux"
            assert info.buildkitVersion.package == "wharf"

    builds(body)


def test_status_of_a_job_that_does_not_come_is_an_error(builds: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wharf.engine.buildkit.job._PATIENCE_S", 0.0)

    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            with pytest.raises(CallFailed, match="no such job nothing"):
                await client.follow("nothing")

    builds(body)


def test_builds_are_remembered_and_can_be_followed_afterwards(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request("FROM busybox\nRUN echo remembered\n")
            await client.solve(request)
            asked = pb.BuildHistoryRequest(EarlyExit=True)
            async with client.channel.open(f"{CONTROL}ListenBuildHistory") as call:
                await call.send(asked.SerializeToString())
                await call.finish()
                events = [pb.BuildHistoryEvent.FromString(message) async for message in call.messages()]
            (event,) = events
            assert (event.record.Ref, event.record.numCompletedSteps) == (request.Ref, event.record.numTotalSteps)
            assert (await client.follow(request.Ref)).logs == "remembered\n"
            forget = pb.UpdateBuildHistoryRequest(Ref=request.Ref, Delete=True)
            await client.channel.unary(f"{CONTROL}UpdateBuildHistory", forget, pb.UpdateBuildHistoryResponse)

    builds(body)


def test_what_builds_keep_is_listed_and_pruned_with_the_contexts(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            client.fake.folders["context"] = {"f": b"x"}
            await client.build("FROM busybox\nCOPY f /f\n")
            kept = engine.builds._context.data.build_contexts
            assert len(list(kept.iterdir())) == 1
            usage = await client.channel.unary(f"{CONTROL}DiskUsage", pb.DiskUsageRequest(), pb.DiskUsageResponse)
            assert [record.Description for record in usage.record] == ["[2/2] COPY f /f"]
            async with client.channel.open(f"{CONTROL}Prune") as call:
                await call.send(pb.PruneRequest(all=True).SerializeToString())
                await call.finish()
                gone = [pb.UsageRecord.FromString(message).ID async for message in call.messages()]
            assert gone == [usage.record[0].ID]
            assert list(kept.iterdir()) == []

    builds(body)


def test_a_session_may_come_inside_a_call(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        near, far = links()
        async with connected(engine) as client:
            fake = FakeClient({"dockerfile": {"Dockerfile": b"FROM busybox\nRUN echo inside\n"}, "context": {}})
            methods = list(fake.methods())
            metadata = {"x-docker-expose-session-uuid": ["inner"], "x-docker-expose-session-grpc-method": methods}
            serving = asyncio.ensure_future(serve(far, fake.methods()))
            async with client.channel.open(f"{CONTROL}Session", metadata) as call:
                carrying = [asyncio.ensure_future(_there(near, call)), asyncio.ensure_future(_back(near, call))]
                request = client.request()
                request.Session = "inner"
                await client.solve(request)
            for task in (serving, *carrying):
                task.cancel()
            await asyncio.gather(serving, *carrying, return_exceptions=True)

    async def _there(link: MemoryLink, call: ClientCall) -> None:
        while data := await link.receive():
            await call.send(pb.BytesMessage(data=data).SerializeToString())

    async def _back(link: MemoryLink, call: ClientCall) -> None:
        async for message in call.messages():
            link.write(pb.BytesMessage.FromString(message).data)

    builds(body)
