from __future__ import annotations

import asyncio
import base64
import hashlib
import json

import pytest
from tests.fakes.llb import Program, mkfile
from tests.root.engine.buildkit.conftest import Run, connected
from tests.root.engine.buildkit.test_image_frontend import frontend, result, spoken

import wharf
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import gateway_pb2 as gateway
from wharf.spec.buildkit.ops_pb2 import Definition


def asked(definition: Definition | None, config: bytes = b"{}") -> gateway.SolveRequest:
    metadata = json.dumps({"containerimage.config": base64.b64encode(config).decode()})
    request = gateway.SolveRequest(
        Frontend="dockerfile.v0", FrontendOpt={"context:under": "input:below", "input-metadata:below": metadata}
    )
    if definition is not None:
        request.FrontendInputs["below"].CopyFrom(definition)
    return request


def test_a_result_of_one_build_is_the_base_of_another_and_so_is_a_graph(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            first = client.request("FROM busybox\nENV K=v\nRUN echo below > /n\n")
            second = client.request()
            solving = []
            for job in (first, second):
                job.Frontend = ""
                solving.append(asyncio.ensure_future(client.solve(job)))
            below = (await client.ask(first.Ref, gateway.SolveRequest(Frontend="dockerfile.v0"))).result
            client.fake.folders["dockerfile"] = {"Dockerfile": b"FROM under\nRUN cat /n; echo $K\n"}
            config = below.metadata["containerimage.config"]
            above = await client.ask(second.Ref, asked(getattr(below.ref, "def"), config))
            telling = asyncio.ensure_future(client.follow(second.Ref))
            evaluate = gateway.SolveRequest.FromString(asked(getattr(below.ref, "def"), config).SerializeToString())
            evaluate.Evaluate = True
            await client.ask(second.Ref, evaluate)
            assert json.loads(above.result.metadata["containerimage.config"])["config"]["Env"][-1] == "K=v"

            program = Program()
            client.fake.folders["dockerfile"] = {"Dockerfile": b"FROM under\nCOPY --from=under /m /o\n"}
            graph = asked(program.end(program.files(mkfile("/m", b"x"))))
            graph.Evaluate = True
            await client.ask(second.Ref, graph)

            with pytest.raises(CallFailed, match="invalid input below for context:under"):
                await client.ask(second.Ref, asked(None))
            for task in solving:
                task.cancel()
            await asyncio.gather(*solving, return_exceptions=True)
            assert (await telling).logs == "below\nv\n"

    builds(body)


def test_a_graph_goes_on_from_a_result_of_another_build(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            first = client.request("FROM busybox\nRUN echo below > /n\n")
            first.Frontend = ""
            solving = asyncio.ensure_future(client.solve(first))
            below = (await client.ask(first.Ref, gateway.SolveRequest(Frontend="dockerfile.v0"))).result
            program = Program()
            program.definition.CopyFrom(getattr(below.ref, "def"))
            encoded = getattr(program.definition, "def")
            encoded.pop()  # what says that it is wanted
            base = f"sha256:{hashlib.sha256(encoded[0]).hexdigest()}"
            second = client.request()
            second.Frontend = ""
            second.Definition.CopyFrom(program.end(program.run(base, "sh", "-c", "cat /n > /above")))
            await client.solve(second)
            assert (await engine.run("made", ["cat", "/above"])).stdout == b"below\n"

            solving.cancel()
            await asyncio.gather(solving, return_exceptions=True)

    builds(body)


def test_a_frontend_that_is_an_image_is_given_results_of_other_builds(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            await frontend(client, "cat /said; cat > /dev/null", await spoken(result(Labels={"by": "front"})))
            program = Program()
            request = client.request("# syntax=front\nanything\n", **{"context:under": "input:below"})
            request.FrontendInputs["below"].CopyFrom(program.end(program.files(mkfile("/m", b"x"))))
            await client.solve(request)
            assert (await engine.images.inspect("made"))["Config"]["Labels"] == {"by": "front"}

            request = client.request("FROM busybox\n")
            request.FrontendInputs["context"].CopyFrom(program.definition)
            with pytest.raises(CallFailed, match="the input context in the place of a folder"):
                await client.solve(request)

    builds(body)
