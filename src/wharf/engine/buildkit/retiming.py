"""``rewrite-timestamp``: a result without a file behind SOURCE_DATE_EPOCH (BuildKit, docs/build-repro)."""

from __future__ import annotations

import asyncio

from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Description, Vertex
from wharf.build.operations.results import Layers
from wharf.build.operations.store import unrecorded
from wharf.engine.buildkit.dockerfile import DockerfileRef
from wharf.engine.buildkit.job import Job, Ref
from wharf.spec.buildkit.control_pb2 import VertexWarning

_NS = 1_000_000_000
_WITHOUT = b"rewrite-timestamp is specified, but no source-date-epoch was found"


def epoch_of(job: Job, ref: Ref | None, asked: int | None = None) -> int | None:
    """Return the time that a result is to have, in seconds: the exporter's, or the build's argument."""
    if asked is not None:
        return asked
    return ref.project.epoch_s if isinstance(ref, DockerfileRef) else job.epoch_s


async def retimed(job: Job, ref: Ref | None, result: Layers, epoch_s: int | None) -> Layers:
    """Return a result whose files are no younger than that time; the layers of its base image stay as they are."""
    if epoch_s is None:
        job.journal.warn(VertexWarning(short=_WITHOUT))
        return result
    if not result.chain_id:
        return result
    about = Description(f"rewriting layers with source-date-epoch {epoch_s}")
    with job.progress.telling(Vertex(Source(f"retime://{epoch_s}"), (), job.ref + result.chain_id, about)):
        base = ref.project.base_chain if isinstance(ref, DockerfileRef) else ""
        return await asyncio.to_thread(_retimed, job, Layers(base), result, epoch_s)


def _retimed(job: Job, base: Layers, result: Layers, epoch_s: int) -> Layers:
    store, cache = job.bench.store, job.bench.cache
    above = store.above(base, result)
    if above is None:  # it does not lie on its base: COPY --link alone, for instance
        base, above = Layers(), store.above(Layers(), result) or []
    key = f"retimed {epoch_s} {base.chain_id} {result.chain_id}"
    known = cache.find(key)
    if known is not None:
        _hold(job, known)
        return Layers(known)
    found = base
    for number, layer in enumerate(above, 1):
        last = number == len(above)
        record = cache.recorder([key], "layers with their times rewritten") if last else unrecorded
        found = store.add_layer(found, layer, record, epoch_s * _NS)
        _hold(job, found.chain_id)
    return found


def _hold(job: Job, chain_id: str) -> None:
    job.stack.enter_context(job.bench.context.images.hold_layers(chain_id))
