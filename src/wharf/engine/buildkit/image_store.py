"""The exporters ``moby`` and ``image``: a result as images of the engine's, and at their registry."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager

from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Description, Vertex
from wharf.build.session.credentials import credentials
from wharf.engine.buildkit.image_options import STORED, ImageOptions, image_options
from wharf.engine.buildkit.images import image_set, told_of
from wharf.engine.buildkit.job import Job, Outcome
from wharf.images.image_set import ImageSet
from wharf.images.lookup import tagged
from wharf.images.origins import Build
from wharf.lib.digest import Digest
from wharf.lib.reference import Reference

Export = Callable[[Job, Outcome], Awaitable[dict[str, str]]]


def image_store(kind: str) -> Callable[[int, Mapping[str, str]], Export]:
    """Return the exporter ``moby`` or ``image``: they differ in what a client is told of an image that stays here."""

    def planned(number: int, attributes: Mapping[str, str]) -> Export:
        del number  # the client takes no part
        options = image_options(kind, attributes, STORED, inline=True)

        async def export(job: Job, outcome: Outcome) -> dict[str, str]:
            async with image_set(job, outcome, options) as images:
                told = told_of(images, options)
                if options.store and not options.by_digest:
                    await _keep(job, images, options)
                if options.push:
                    for name in options.names:
                        await _push(job, images, name, options)
                elif kind == "moby" and "containerimage.config.digest" in told:
                    told["containerimage.digest"] = told["containerimage.config.digest"]  # what it is known by here
            return told

        return export

    return planned


async def _keep(job: Job, images: ImageSet, options: ImageOptions) -> None:
    context = job.bench.context
    async with _step(job, "exporting to image", job.ref):
        image = await context.images.layers.keep(images, _names(images, options), Build(job.ref, job.began))
        context.events.publish("image", "create", image.id, {"name": image.id})
        for name in options.names:
            context.events.publish("image", "tag", image.id, {"name": name.familiar})


def _names(images: ImageSet, options: ImageOptions) -> list[Reference]:
    """Return all that images are called: also by their digest, where that is asked for."""
    digest = Digest(str(images.top["digest"]))
    names = list(options.names)
    if options.canonical:
        names += [name.with_digest(digest) for name in options.names]
    if options.dangling_prefix and not (options.dangling_only and options.names):
        names.append(tagged(options.dangling_prefix, None).with_digest(digest))
    return names


async def _push(job: Job, images: ImageSet, name: Reference, options: ImageOptions) -> None:
    """Push images as the client's user; layers are told of in a step."""
    async with _step(job, f"pushing {name.familiar}", f"{job.ref}{name}"):
        found = await credentials(job.session, name.domain)
        transfers = job.bench.context.images.transfers
        if options.store and not options.by_digest:
            async with aclosing(transfers.push(str(name), credentials=found, insecure=options.insecure)) as documents:
                async for _ in documents:
                    pass
        else:
            artifact = transfers.artifact(name, found, insecure=options.insecure)
            await artifact.write_images(images, by_digest=options.by_digest)


@asynccontextmanager
async def _step(job: Job, about: str, name: str) -> AsyncIterator[None]:
    with job.progress.telling(Vertex(Source("export://image"), (), name, Description(about))):
        yield
