"""The service that clients ask for builds (BuildKit, api/services/control)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

from google.protobuf.message import Message

from wharf.build.epoch import EPOCH, epoch_of, settled
from wharf.build.session.call_link import CallLink
from wharf.build.session.sessions import Greeting, Sessions, methods_of
from wharf.engine.buildkit import dockerfile, usage, worker
from wharf.engine.buildkit.attests import attests_of
from wharf.engine.buildkit.cache_options import caches_from, caches_to
from wharf.engine.buildkit.caches import take_caches, write_caches
from wharf.engine.buildkit.exports import export, planned
from wharf.engine.buildkit.failures import described
from wharf.engine.buildkit.frontends import GATEWAY, frontend_of
from wharf.engine.buildkit.history import Ending, History
from wharf.engine.buildkit.image_frontend import run_image
from wharf.engine.buildkit.inputs import Handed, result_of, substituted
from wharf.engine.buildkit.job import Job, Jobs, Outcome
from wharf.engine.buildkit.llb import graph
from wharf.engine.buildkit.outcomes import results_of
from wharf.engine.buildkit.policies import policies_of
from wharf.engine.buildkit.workbench import Workbench
from wharf.engine.builds.entitlements import granted
from wharf.errors import NotImplementedHere, WharfError
from wharf.lib.finishing import to_the_end
from wharf.rpc.call import Call
from wharf.rpc.methods import Method, streaming, unary
from wharf.rpc.status import CANCELLED, CallFailed
from wharf.spec.buildkit import control_pb2 as pb

SERVICE = "/moby.buildkit.v1.Control/"


class Control:
    """Answers for one engine."""

    def __init__(self, bench: Workbench, sessions: Sessions, jobs: Jobs, history: History) -> None:
        self._bench = bench
        self._sessions = sessions
        self._jobs = jobs
        self._history = history

    def methods(self) -> dict[str, Method]:
        """Return what it answers to, by path."""
        return {
            f"{SERVICE}Solve": unary(pb.SolveRequest, self.solve),
            f"{SERVICE}Status": streaming(pb.StatusRequest, self.status),
            f"{SERVICE}Session": self.session,
            f"{SERVICE}DiskUsage": unary(pb.DiskUsageRequest, self.disk_usage),
            f"{SERVICE}Prune": streaming(pb.PruneRequest, self.prune),
            f"{SERVICE}ListenBuildHistory": streaming(pb.BuildHistoryRequest, self.listen),
            f"{SERVICE}UpdateBuildHistory": unary(pb.UpdateBuildHistoryRequest, self.update_history),
            f"{SERVICE}ListWorkers": unary(pb.ListWorkersRequest, self.list_workers),
            f"{SERVICE}Info": unary(pb.InfoRequest, self.info),
        }

    async def solve(self, request: pb.SolveRequest, call: Call) -> Message:
        """Do a build, to its end."""
        del call
        return await self.do(request)

    async def do(self, request: pb.SolveRequest, chunks: AsyncIterator[bytes] | None = None) -> pb.SolveResponse:
        """Do a build; as :meth:`solve`, for callers without a connection.

        Args:
            request: what is asked for.
            chunks: an archive of the main context, in the place of a folder of the client's.

        Raises:
            CallFailed: it failed; with the lines of the Dockerfile, where it is about them.
        """
        job = Job(request.Ref, request.Session, self._sessions, self._bench)
        job.run_image = partial(run_image, job, self._jobs)
        job.find_result = partial(result_of, self._jobs)
        job.sent = chunks
        clock = self._bench.context.clock
        ending = Ending(0)
        try:
            async with job:
                await self._jobs.add(job)
                if not request.Internal:
                    self._history.begin(request, job.journal, clock.now_ns())
                ending = await self._done(job, request)
        except WharfError as error:
            failure = described(error)
            ending = Ending(0, error=failure)
            raise failure from error
        except asyncio.CancelledError:
            ending = Ending(0, error=CallFailed(CANCELLED, "context canceled"))
            raise
        except BaseException as error:  # a history that knows of no failure would call it a good build
            ending = Ending(0, error=error)
            raise
        finally:
            if self._jobs.drop(job) and not request.Internal:
                self._history.describe(request.Ref, *job.asked)
                end = self._history.end(request.Ref, replace(ending, at_ns=clock.now_ns()))
                await to_the_end(asyncio.get_running_loop().create_task(end))
        return pb.SolveResponse(ExporterResponse=ending.response)

    async def _done(self, job: Job, request: pb.SolveRequest) -> Ending:
        """Do what a request asks for."""
        if not request.Frontend and not request.HasField("Definition"):
            job.keep_wrecks()
        plans = planned(request.Exporters)
        caches = caches_to(request.Cache, request.FrontendAttrs)
        job.inline_cache = any(one.kind == "inline" for one in caches)
        job.policies += policies_of([request.SourcePolicy] if request.HasField("SourcePolicy") else [])
        job.grants = granted(request.Entitlements, self._bench.context.options.entitlements)
        job.attests = attests_of(request.FrontendAttrs)
        job.epoch_s = epoch_of(settled(request.FrontendAttrs.get(f"build-arg:{EPOCH}", ""), None))
        await take_caches(job, caches_from({}, request.Cache))
        outcome = await self._outcome(job, request)
        response = await export(job, outcome, plans)
        response |= await write_caches(job, outcome, caches)
        await job.folders.give_back()
        return Ending(0, response, None, *await asyncio.to_thread(results_of, job, outcome, response))

    async def _outcome(self, job: Job, request: pb.SolveRequest) -> Outcome:
        _refuse(request)
        frontend = frontend_of(request.Frontend, request.FrontendAttrs)
        if frontend == GATEWAY:
            job.asked = (GATEWAY, dict(request.FrontendAttrs))
            return await job.run_image(request.FrontendAttrs["source"], request.FrontendAttrs, request.FrontendInputs)
        if frontend:
            handed = Handed(request.FrontendAttrs, request.FrontendInputs)
            return await dockerfile.build(job, *await substituted(job, self._jobs, handed), handed)
        if request.HasField("Definition"):
            return Outcome({"": await graph(job, request.Definition)})
        return await job.returned

    async def status(self, request: pb.StatusRequest, call: Call) -> AsyncIterator[Message]:
        """Tell what a build does, from its beginning to its end."""
        del call
        known = await self._history.journal(request.Ref)
        journal = known or (await self._jobs.get(request.Ref)).journal
        async for response in journal.read():
            yield response

    async def session(self, call: Call) -> None:
        """Keep a client's session, whose connection is the call itself."""
        metadata = call.metadata
        link = CallLink(call)
        greeting = Greeting(
            "".join(metadata.get("x-docker-expose-session-uuid", [])),
            "".join(metadata.get("x-docker-expose-session-sharedkey", [])),
            methods_of(metadata.get("x-docker-expose-session-grpc-method", [])),
        )
        sending = asyncio.create_task(link.send())
        try:
            await self._sessions.hold(link, greeting)
        finally:
            link.close()
            await asyncio.gather(sending, return_exceptions=True)

    async def disk_usage(self, request: pb.DiskUsageRequest, call: Call) -> Message:
        """Tell what is kept."""
        del call
        return await usage.disk_usage(self._bench, request.filter)

    async def prune(self, request: pb.PruneRequest, call: Call) -> AsyncIterator[Message]:
        """Remove what is kept; tell what is gone."""
        del call
        async for record in usage.prune(self._bench, request):
            yield record

    async def listen(self, request: pb.BuildHistoryRequest, call: Call) -> AsyncIterator[Message]:
        """Tell of builds that were, and that are."""
        del call
        async for event in self._history.listen(request):
            yield event

    async def update_history(self, request: pb.UpdateBuildHistoryRequest, call: Call) -> Message:
        """Pin a record of a build, or forget it."""
        del call
        await to_the_end(asyncio.get_running_loop().create_task(self._history.update(request)))
        return pb.UpdateBuildHistoryResponse()

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
        "source policies that the client decides itself": bool(request.SourcePolicySession),
        "exporters of the session": request.EnableSessionExporter,
        "a proxy for the network of commands": request.ProxyNetwork,
    }
    for what, asked in refused.items():
        if asked:
            raise NotImplementedHere(f"{what} is not supported by this build of wharf")
