"""Results as images: for each platform its configuration, its layers and what is said of it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace

import msgspec

from wharf.build.history import fixed
from wharf.build.operations.results import Layers
from wharf.engine.buildkit.caches import chain_of
from wharf.engine.buildkit.dockerfile import DockerfileRef
from wharf.engine.buildkit.image_options import ImageOptions
from wharf.engine.buildkit.job import Job, Outcome, Ref
from wharf.engine.buildkit.provenance import provenance_of
from wharf.engine.buildkit.retiming import epoch_of, retimed
from wharf.engine.buildkit.sbom import Scanned, scanned
from wharf.engine.builds.inline import with_inline_cache
from wharf.errors import InvalidArgument
from wharf.images.image_set import Form, ImageSet, Part, Predicate, put_together
from wharf.images.packing import Shelf
from wharf.images.platform import host
from wharf.spec.oci_image import ImageConfig


@asynccontextmanager
async def image_set(job: Job, outcome: Outcome, options: ImageOptions) -> AsyncIterator[ImageSet]:
    """Give a result as images; blobs that are made for it go at the end.

    Raises:
        InvalidArgument: a result is no layers, or an annotation is of a platform that there is not.
    """
    several = list(outcome.refs) != [""]
    _check_platforms(outcome, options)
    oci = options.oci or job.attests.are_any(inline=options.inline)  # attestations have no other media types
    with ExitStack() as stack:
        layers = job.bench.context.images.layers
        shelf = stack.enter_context(layers.shelf(replace(options.compression, oci=oci)))
        parts = [await _part(job, outcome, name, shelf, options) for name in outcome.refs]
        if options.annotations.needs_index and not several:
            raise InvalidArgument("index annotations not supported for single platform export")
        form = Form(
            oci,
            several,
            options.artifact,
            options.annotations.of("index"),
            options.annotations.of("index-descriptor"),
        )
        yield put_together(parts, form, options.names)


def _check_platforms(outcome: Outcome, options: ImageOptions) -> None:
    there = {str(host() if ref is None else ref.platform) for ref in outcome.refs.values()}
    if missing := options.annotations.platforms - there:
        raise InvalidArgument(f"invalid annotation: no platform {min(missing)} found in source")


async def _part(job: Job, outcome: Outcome, name: str, shelf: Shelf, options: ImageOptions) -> Part:
    ref = outcome.refs[name]
    result = Layers() if ref is None else await ref.solve()
    if not isinstance(result, Layers):
        raise InvalidArgument("a folder from outside cannot be an image: copy it first")
    epoch_s = epoch_of(job, ref, options.epoch_s)
    if options.retime:
        result = await retimed(job, ref, result, epoch_s)
    config = await _configuration(job, outcome, name, result, epoch_s)
    blobs = await asyncio.to_thread(shelf.blobs, result.chain_id)
    platform = host() if ref is None else ref.platform
    return Part(
        config,
        blobs,
        platform,
        await predicates_of(job, ref, result, str(platform), inline=options.inline),
        annotations=options.annotations.of("manifest", platform),
        descriptor_annotations=options.annotations.of("manifest-descriptor", platform),
    )


async def predicates_of(
    job: Job, ref: Ref | None, result: Layers, name: str, *, inline: bool
) -> tuple[Predicate, ...]:
    """Return what is said of a result; ``inline``: also what is said only where images are kept."""
    asked, found = job.attests, list[Predicate]()
    if asked.sbom is not None and (inline or not asked.sbom.inline_only):
        besides = await ref.scans() if isinstance(ref, DockerfileRef) else {}
        if result.chain_id or besides:
            found += await scanned(job, asked.sbom, Scanned(name, result, besides))
    if inline or not asked.inline_only:
        provenance = provenance_of(job, ref)
        found += [provenance] if provenance else []
    return tuple(found)


async def _configuration(job: Job, outcome: Outcome, name: str, result: Layers, epoch_s: int | None) -> ImageConfig:
    ref = outcome.refs[name]
    told = outcome.metadata.get(_key(name))
    # One that a frontend has changed is as it says.
    if isinstance(ref, DockerfileRef) and told in (None, msgspec.json.encode(ref.project.image)):
        return await _with_cache(job, ref.project.configuration(result, job.bench.cache, epoch_s), ref, result)
    platform = host() if ref is None else ref.platform
    plain: ImageConfig = {"architecture": platform.architecture, "os": platform.os, "config": {}}
    given = given_configuration(outcome.metadata, name)
    found: ImageConfig = {**plain, "created": fixed(epoch_s) or job.bench.context.clock.now(), **given}
    return found if ref is None else await _with_cache(job, found, ref, result)


async def _with_cache(job: Job, config: ImageConfig, ref: Ref, result: Layers) -> ImageConfig:
    """Return a configuration that says how the image's layers were made, when that was asked for."""
    if not job.inline_cache:
        return config
    return with_inline_cache(config, await ref.kept(), chain_of(job, result))


def _key(name: str) -> str:
    return f"containerimage.config/{name}" if name else "containerimage.config"


def given_configuration(metadata: Mapping[str, bytes], name: str) -> ImageConfig:
    """Return the configuration that a client gives with a result of its own (containerimage.config).

    Raises:
        InvalidArgument: it is malformed.
    """
    try:
        return msgspec.json.decode(metadata.get(_key(name), b"{}"), type=ImageConfig)
    except msgspec.MsgspecError as error:
        raise InvalidArgument(f"invalid image config: {error}") from None


def told_of(images: ImageSet, options: ImageOptions) -> dict[str, str]:
    """Return what a client is told of images."""
    told = {
        "containerimage.digest": str(images.top["digest"]),
        "containerimage.descriptor": base64.b64encode(msgspec.json.encode(images.top)).decode(),
    }
    if len(images.members) == 1:
        told["containerimage.config.digest"] = images.members[0].image_id
    if options.names:
        told["image.name"] = ",".join(str(name) for name in options.names)
    return told
