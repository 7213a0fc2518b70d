"""The service that clients ask for builds (BuildKit, api/services/control)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from google.protobuf.message import Message

from wharf.build.session.sessions import Sessions
from wharf.engine.buildkit import dockerfile, worker
from wharf.engine.buildkit.exports import export, planned
from wharf.engine.buildkit.failures import described
from wharf.engine.buildkit.job import Job, Jobs, Outcome
from wharf.engine.buildkit.llb import graph
from wharf.engine.buildkit.workbench import Workbench
from wharf.errors import NotImplementedHere, WharfError
from wharf.rpc.call import Call
from wharf.rpc.methods import Method, streaming, unary
from wharf.spec.buildkit import control_pb2 as pb

SERVICE = "/moby.buildkit.v1.Control/"


class Control:
    """Answers for one engine."""

    def __init__(self, bench: Workbench, sessions: Sessions, jobs: Jobs) -> None:
        self._bench = bench
        self._sessions = sessions
        self._jobs = jobs

    def methods(self) -> dict[str, Method]:
        """Return what it answers to, by path."""
        return {
            f"{SERVICE}Solve": unary(pb.SolveRequest, self.solve),
            f"{SERVICE}Status": streaming(pb.StatusRequest, self.status),
            f"{SERVICE}ListWorkers": unary(pb.ListWorkersRequest, self.list_workers),
            f"{SERVICE}Info": unary(pb.InfoRequest, self.info),
        }

    async def solve(self, request: pb.SolveRequest, call: Call) -> Message:
        """Do a build, to its end."""
        del call
        return await self.do(request)

    async def do(self, request: pb.SolveRequest) -> pb.SolveResponse:
        """Do a build; as :meth:`solve`, for callers without a connection.

        Raises:
            CallFailed: it failed; with the lines of the Dockerfile, where it is about them.
        """
        job = Job(request.Ref, request.Session, self._sessions, self._bench)
        try:
            async with job:
                await self._jobs.add(job)
                plans = planned(request.Exporters)
                outcome = await self._outcome(job, request)
                response = await export(job, outcome, plans)
                await job.folders.give_back()
        except WharfError as error:
            raise described(error) from error
        finally:
            self._jobs.drop(job)
        return pb.SolveResponse(ExporterResponse=response)

    async def _outcome(self, job: Job, request: pb.SolveRequest) -> Outcome:
        _refuse(request)
        if request.Frontend == "dockerfile.v0":
            return await dockerfile.build(job, request.FrontendAttrs)
        if request.Frontend:
            raise NotImplementedHere(f"the frontend {request.Frontend} is not supported by this build of wharf")
        if request.HasField("Definition"):
            return Outcome({"": await graph(job, request.Definition)})
        return await job.returned

    async def status(self, request: pb.StatusRequest, call: Call) -> AsyncIterator[Message]:
        """Tell what a build does, from its beginning to its end."""
        del call
        job = await self._jobs.get(request.Ref)
        async for response in job.journal.read():
            yield response

    async def list_workers(self, request: pb.ListWorkersRequest, call: Call) -> Message:
        """Tell of the one worker there is."""
        del request, call
        return pb.ListWorkersResponse(record=[worker.worker(self._bench.context)])

    async def info(self, request: pb.InfoRequest, call: Call) -> Message:
        """Tell what this is."""
        del request, call
        return pb.InfoResponse(buildkitVersion=worker.version())


def _refuse(request: pb.SolveRequest) -> None:
    """Refuse what would change a result, and is not supported."""
    refused = {
        "source policies": request.HasField("SourcePolicy") or bool(request.SourcePolicySession),
        "exporters of the session": request.EnableSessionExporter,
        "a proxy for the network of commands": request.ProxyNetwork,
        "inputs of a frontend": bool(request.FrontendInputs),
        "exporting the cache": bool(request.Cache.Exports) or bool(request.Cache.ExportRefDeprecated),
    }
    for what, asked in refused.items():
        if asked:
            raise NotImplementedHere(f"{what} is not supported by this build of wharf")
