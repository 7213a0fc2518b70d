"""Results as inputs of other builds: how they are named to a client, and what comes back of it (``buildx bake``)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from wharf.build.llb.decode import program_of
from wharf.build.llb.sources import RESULT
from wharf.build.operations.results import Layers
from wharf.engine.buildkit.job import Job, Jobs, Ref
from wharf.engine.buildkit.llb import GraphRef, graph
from wharf.engine.builds.sources import Given
from wharf.errors import InvalidArgument, NotFound, NotImplementedHere
from wharf.spec.buildkit.ops_pb2 import Definition, Input, Op, SourceOp
from wharf.spec.oci_image import ImageConfig, RootFS

_SCHEME: Final = f"{RESULT}://"
_MAIN: Final = frozenset({"context", "dockerfile"})  # what BuildKit's own frontend takes for its folders
_DOMAIN: Final = "input.invalid"  # of the names that inputs have within a build: no registry has it (RFC 6761)


def definition_of(job: Job, name: str) -> Definition:
    """Return the definition of a result of a job that is under way, or one that stands for it."""
    ref = job.named(name)
    if isinstance(ref, GraphRef):
        return ref.definition  # frontends go on from it
    op = Op(source=SourceOp(identifier=f"{_SCHEME}{job.ref}/{name}")).SerializeToString(deterministic=True)
    digest = f"sha256:{hashlib.sha256(op).hexdigest()}"
    last = Op(inputs=[Input(digest=digest)])
    definition = Definition()
    definition.metadata[digest].description["llb.customname"] = "the result of another build"  # there must be some
    getattr(definition, "def").extend([op, last.SerializeToString(deterministic=True)])
    return definition


@dataclass(frozen=True, slots=True)
class Handed:
    """What a client hands to a frontend: options, and what it is to work on, results of other builds or graphs."""

    attributes: Mapping[str, str]
    inputs: Mapping[str, Definition] = field(default_factory=dict)


async def result_of(jobs: Jobs, where: str) -> Ref:
    """Return a result by what stands behind the scheme of its source.

    Raises:
        NotFound: its build is over.
        InvalidArgument: it has no such result.
    """
    ref, _, name = where.partition("/")
    return (await jobs.get(ref)).named(name)


async def _input(job: Job, jobs: Jobs, definition: Definition) -> Ref | None:
    program = program_of(definition)
    op = program.operations.get(program.target[0]) if program.target else None
    if op is None or not op.source.identifier.startswith(_SCHEME):
        return await graph(job, definition)
    return await result_of(jobs, op.source.identifier.removeprefix(_SCHEME))


async def substituted(job: Job, jobs: Jobs, handed: Handed) -> tuple[dict[str, str], dict[str, Given]]:
    """Do the inputs that named contexts refer to; return the options with images in their place, and those images.

    Raises:
        NotFound: a context refers to an input that is not there, or its build is over.
        InvalidArgument: an input, or what is said of it, is malformed, or it is no layers.
        NotImplementedHere: the main context or the Dockerfile is to be an input; with its name.
        CallFailed: a step of it could not be done.
    """
    attributes, changed, given = handed.attributes, dict(handed.attributes), dict[str, Given]()
    for name in _MAIN & handed.inputs.keys():
        raise NotImplementedHere(f"the input {name} in the place of a folder is not supported by this build of wharf")
    inputs = {name: await _input(job, jobs, definition) for name, definition in handed.inputs.items()}
    for name, where in attributes.items():
        if not (name.startswith("context:") and where.startswith("input:")):
            continue
        wanted = where.removeprefix("input:")
        if wanted not in inputs:
            raise NotFound(f"invalid input {wanted} for {name}")
        reference = f"{_DOMAIN}/{len(given)}:latest"
        given[reference] = await _given(job, inputs[wanted], attributes.get(f"input-metadata:{wanted}", ""))
        changed[name] = f"docker-image://{reference}"
    return changed, given


async def _given(job: Job, ref: Ref | None, metadata: str) -> Given:
    result = Layers() if ref is None else await ref.solve()
    if not isinstance(result, Layers):
        raise InvalidArgument("a folder from outside cannot be an input: copy it first")
    context = job.bench.context
    if result.chain_id:
        job.stack.enter_context(context.images.hold_layers(result.chain_id))
    try:
        told = msgspec.json.decode(metadata or "{}", type=dict[str, bytes])
        config = msgspec.json.decode(told.get("containerimage.config", b"{}"), type=ImageConfig)
    except msgspec.MsgspecError as error:
        raise InvalidArgument(f"invalid metadata of an input: {error}") from None
    diff_ids = [str(one) for one in context.snapshots.diff_ids(result.chain_id)] if result.chain_id else []
    rootfs: RootFS = {"type": "layers", "diff_ids": diff_ids}
    return Given(result, {**config, "rootfs": rootfs})
