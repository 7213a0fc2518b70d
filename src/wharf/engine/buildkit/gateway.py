"""The service that frontends, a client's own and images that are run, ask for steps (BuildKit, frontend/gateway)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from google.protobuf.message import Message

from wharf.build.convert.options import BaseImage, ImageName, Options
from wharf.build.llb.decode import platform_of
from wharf.engine.buildkit import dockerfile, looking, worker
from wharf.engine.buildkit.cache_options import caches_from
from wharf.engine.buildkit.caches import take_caches
from wharf.engine.buildkit.containers import Containers
from wharf.engine.buildkit.frontends import GATEWAY, frontend_of
from wharf.engine.buildkit.inputs import Handed, definition_of, substituted
from wharf.engine.buildkit.job import Job, Jobs, Outcome
from wharf.engine.buildkit.llb import graph
from wharf.engine.buildkit.policies import policies_of
from wharf.engine.buildkit.talk import Talk
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.images.platform import host, parse_platform
from wharf.rpc.call import Call
from wharf.rpc.methods import Method, unary
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import gateway_pb2 as pb
from wharf.spec.buildkit.control_pb2 import CacheOptions, CacheOptionsEntry, VertexWarning
from wharf.spec.buildkit.ops_pb2 import Definition, Platform
from wharf.spec.buildkit.stat_pb2 import Stat

T = TypeVar("T")

SERVICE = "/moby.buildkit.v1.frontend.LLBBridge/"
_JOB = "buildkit-controlapi-buildid"


@dataclass(frozen=True, slots=True)
class Seat:
    """The place of one frontend: its job, where its result goes, and what it is to work on."""

    job: Job
    returned: asyncio.Future[Outcome]
    inputs: Mapping[str, Definition] = field(default_factory=dict)


class Gateway:
    """Answers for the jobs of one engine; each call names its job, unless all are about one frontend."""

    def __init__(self, jobs: Jobs, seat: Seat | None = None) -> None:
        self._jobs = jobs
        self._only = seat
        self._made: dict[Job, Containers] = {}

    def methods(self) -> dict[str, Method]:
        """Return what it answers to, by path."""
        return {
            f"{SERVICE}Ping": unary(pb.PingRequest, self.ping),
            f"{SERVICE}Solve": unary(pb.SolveRequest, self.solve),
            f"{SERVICE}Evaluate": unary(pb.EvaluateRequest, self.evaluate),
            f"{SERVICE}Return": unary(pb.ReturnRequest, self.take_return),
            f"{SERVICE}Inputs": unary(pb.InputsRequest, self.inputs),
            f"{SERVICE}Warn": unary(pb.WarnRequest, self.warn),
            f"{SERVICE}ReadFile": unary(pb.ReadFileRequest, self.read_file),
            f"{SERVICE}ReadDir": unary(pb.ReadDirRequest, self.read_dir),
            f"{SERVICE}StatFile": unary(pb.StatFileRequest, self.stat_file),
            f"{SERVICE}NewContainer": unary(pb.NewContainerRequest, self.new_container),
            f"{SERVICE}ReleaseContainer": unary(pb.ReleaseContainerRequest, self.release_container),
            f"{SERVICE}ExecProcess": self.exec_process,
            f"{SERVICE}ResolveImageConfig": unary(pb.ResolveImageConfigRequest, self.resolve_image),
            f"{SERVICE}ResolveSourceMeta": unary(pb.ResolveSourceMetaRequest, self.resolve_source),
        }

    async def _seat(self, call: Call) -> Seat:
        if self._only is not None:
            return self._only
        name = "".join(call.metadata.get(_JOB, []))
        if not name:
            raise InvalidArgument("no buildid found in context")
        job = await self._jobs.get(name)
        return Seat(job, job.returned)

    async def _job(self, call: Call) -> Job:
        return (await self._seat(call)).job

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
        job.policies += policies_of(request.SourcePolicies)
        imports = [CacheOptionsEntry(Type=one.Type, Attrs=one.Attrs) for one in request.CacheImports]
        await take_caches(job, caches_from({}, CacheOptions(Imports=imports)))
        frontend = frontend_of(request.Frontend, request.FrontendOpt)
        if frontend == GATEWAY:
            source = request.FrontendOpt["source"]
            outcome = await job.run_image(source, request.FrontendOpt, request.FrontendInputs)
        elif not frontend:
            outcome = Outcome({"": await graph(job, request.Definition)})
        else:
            handed = Handed(request.FrontendOpt, request.FrontendInputs)
            outcome = await dockerfile.build(job, *await substituted(job, self._jobs, handed), handed)
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

    async def inputs(self, request: pb.InputsRequest, call: Call) -> Message:
        """Tell what a frontend works on."""
        del request
        return pb.InputsResponse(Definitions=(await self._seat(call)).inputs)

    async def warn(self, request: pb.WarnRequest, call: Call) -> Message:
        """Take a warning of the client's frontend, for whoever watches."""
        job = await self._job(call)
        job.journal.warn(
            VertexWarning(
                vertex=request.digest,
                level=request.level,
                short=request.short,
                detail=request.detail,
                url=request.url,
                info=request.info,
                ranges=request.ranges,
            )
        )
        return pb.WarnResponse()

    async def read_file(self, request: pb.ReadFileRequest, call: Call) -> Message:
        """Return a file of a result."""
        part = request.Range if request.HasField("Range") else None
        return pb.ReadFileResponse(
            Data=await self._look(call, request.Ref, lambda root: looking.read(root, request.FilePath, part))
        )

    async def read_dir(self, request: pb.ReadDirRequest, call: Call) -> Message:
        """Return what is in a folder of a result."""

        def look(root: int | None) -> list[Stat]:
            return looking.listed(root, request.DirPath, request.IncludePattern)

        return pb.ReadDirResponse(entries=await self._look(call, request.Ref, look))

    async def stat_file(self, request: pb.StatFileRequest, call: Call) -> Message:
        """Tell of a file of a result."""
        return pb.StatFileResponse(
            stat=await self._look(call, request.Ref, lambda root: looking.told(root, request.Path))
        )

    async def _look(self, call: Call, name: str, look: Callable[[int | None], T]) -> T:
        job = await self._job(call)
        tree = await job.tree(name)

        def opened() -> T:
            with job.bench.store.open(tree) as root:
                return look(root)

        return await asyncio.to_thread(opened)

    async def new_container(self, request: pb.NewContainerRequest, call: Call) -> Message:
        """Make a container of results."""
        await (await self._containers(call)).make(request)
        return pb.NewContainerResponse()

    async def release_container(self, request: pb.ReleaseContainerRequest, call: Call) -> Message:
        """End a container."""
        await (await self._containers(call)).release(request.ContainerID)
        return pb.ReleaseContainerResponse()

    async def exec_process(self, call: Call) -> None:
        """Run processes in containers, and carry what they read and write."""
        await Talk(call, await self._containers(call)).run()

    async def _containers(self, call: Call) -> Containers:
        job = await self._job(call)
        if job not in self._made:
            self._made[job] = Containers(job)
            job.stack.callback(self._made.pop, job)
        return self._made[job]

    async def resolve_image(self, request: pb.ResolveImageConfigRequest, call: Call) -> Message:
        """Return the configuration of an image, pulled if need be."""
        found = await _image(await self._job(call), request.Ref, request.Platform, request.ResolveMode)
        return pb.ResolveImageConfigResponse(
            Digest=found.digest, Config=msgspec.json.encode(found.config), Ref=request.Ref
        )

    async def resolve_source(self, request: pb.ResolveSourceMetaRequest, call: Call) -> Message:
        """Return what is known of a source before it is brought: of an image, its configuration."""
        job = await self._job(call)
        response = pb.ResolveSourceMetaResponse(Source=request.Source)
        scheme, _, rest = request.Source.identifier.partition("://")
        if scheme == "docker-image":
            found = await _image(job, rest, request.Platform, request.ResolveMode)
            response.Image.Digest = found.digest
            if not request.Image.NoConfig:
                response.Image.Config = msgspec.json.encode(found.config)
        return response

    async def take_return(self, request: pb.ReturnRequest, call: Call) -> Message:
        """Take what the client's frontend comes to: its job goes on with it."""
        seat = await self._seat(call)
        if seat.returned.done():
            raise InvalidArgument("a result was returned already")
        if request.HasField("error"):
            failure = request.error
            seat.returned.set_exception(CallFailed(failure.code, failure.message, failure.SerializeToString()))
        else:
            seat.returned.set_result(_outcome(seat.job, request.result))
        return pb.ReturnResponse()


async def _image(job: Job, reference: str, platform: Platform, mode: str) -> BaseImage:
    wanted = platform_of(platform)
    name = ImageName(reference, parse_platform(wanted) if wanted else host())
    options = Options(host=host(), platform=name.platform, resolve_mode="pull" if mode == "pull" else "")
    sources = job.sources()
    return await sources.base_image(name, options, job.stack.enter_context(ExitStack()))


def _told(job: Job, outcome: Outcome) -> pb.Result:
    result = pb.Result(metadata=dict(outcome.metadata))
    ids = {name: job.keep(ref) if ref is not None else "" for name, ref in outcome.refs.items()}
    if list(ids) == [""]:
        _name(job, result.ref, ids[""])
    else:
        result.refs.SetInParent()
        for name, ref_id in ids.items():
            _name(job, result.refs.refs[name], ref_id)
    return result


def _name(job: Job, ref: pb.Ref, ref_id: str) -> None:
    ref.id = ref_id
    if ref_id:
        getattr(ref, "def").CopyFrom(definition_of(job, ref_id))


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
