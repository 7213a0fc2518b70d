from __future__ import annotations

import asyncio
import base64
import json

import pytest
from tests.fakes.llb import Program, mkfile
from tests.root.engine.buildkit.conftest import Run, connected

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
