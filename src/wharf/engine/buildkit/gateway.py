"""The service that a client's own frontend asks for steps (BuildKit, frontend/gateway)."""

from __future__ import annotations

from google.protobuf.message import Message

from wharf.engine.buildkit import dockerfile, worker
from wharf.engine.buildkit.job import Job, Jobs, Outcome
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.rpc.call import Call
from wharf.rpc.methods import Method, unary
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import gateway_pb2 as pb

SERVICE = "/moby.buildkit.v1.frontend.LLBBridge/"
_JOB = "buildkit-controlapi-buildid"


class Gateway:
    """Answers for the jobs of one engine; each call names its job."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def methods(self) -> dict[str, Method]:
        """Return what it answers to, by path."""
        return {
            f"{SERVICE}Ping": unary(pb.PingRequest, self.ping),
            f"{SERVICE}Solve": unary(pb.SolveRequest, self.solve),
            f"{SERVICE}Evaluate": unary(pb.EvaluateRequest, self.evaluate),
            f"{SERVICE}Return": unary(pb.ReturnRequest, self.take_return),
        }

    async def _job(self, call: Call) -> Job:
        name = "".join(call.metadata.get(_JOB, []))
        if not name:
            raise InvalidArgument("no buildid found in context")
        return await self._jobs.get(name)

    async def ping(self, request: pb.PingRequest, call: Call) -> Message:
        """Tell what is supported."""
        del request
        job = await self._job(call)
        return pb.PongResponse(
            FrontendAPICaps=worker.capabilities(worker.FRONTEND),
            LLBCaps=worker.capabilities(worker.LLB),
            Workers=[worker.worker(job.bench.context)],
        )

    async def solve(self, request: pb.SolveRequest, call: Call) -> Message:
        """Prepare a result, and do it if asked to."""
        job = await self._job(call)
        if request.Frontend != "dockerfile.v0":
            raise NotImplementedHere(f"the frontend {request.Frontend} is not supported by this build of wharf")
        outcome = await dockerfile.build(job, request.FrontendOpt)
        if request.Evaluate:
            for ref in outcome.refs.values():
                if ref is not None:
                    await ref.solve()
        return pb.SolveResponse(result=_told(job, outcome))

    async def evaluate(self, request: pb.EvaluateRequest, call: Call) -> Message:
        """Do what a result needs."""
        job = await self._job(call)
        await job.named(request.Ref).solve()
        return pb.EvaluateResponse()

    async def take_return(self, request: pb.ReturnRequest, call: Call) -> Message:
        """Take what the client's frontend comes to: its job goes on with it."""
        job = await self._job(call)
        if job.returned.done():
            raise InvalidArgument("a result was returned already")
        if request.HasField("error"):
            failure = request.error
            job.returned.set_exception(CallFailed(failure.code, failure.message, failure.SerializeToString()))
        else:
            job.returned.set_result(_outcome(job, request.result))
        return pb.ReturnResponse()


def _told(job: Job, outcome: Outcome) -> pb.Result:
    result = pb.Result(metadata=dict(outcome.metadata))
    ids = {name: job.keep(ref) if ref is not None else "" for name, ref in outcome.refs.items()}
    if list(ids) == [""]:
        result.ref.id = ids[""]
    else:
        result.refs.SetInParent()
        for name, ref_id in ids.items():
            result.refs.refs[name].id = ref_id
    return result


def _outcome(job: Job, result: pb.Result) -> Outcome:
    if result.attestations:
        raise NotImplementedHere("attestations of a client's frontend are not supported by this build of wharf")
    match result.WhichOneof("result"):
        case "ref":
            ids = {"": result.ref.id}
        case "refs":
            ids = {name: ref.id for name, ref in result.refs.refs.items()}
        case "refDeprecated":
            ids = {"": result.refDeprecated}
        case "refsDeprecated":
            ids = dict(result.refsDeprecated.refs)
        case _:
            ids = {"": ""}
    refs = {name: job.named(ref_id) if ref_id else None for name, ref_id in ids.items()}
    return Outcome(refs, dict(result.metadata))
