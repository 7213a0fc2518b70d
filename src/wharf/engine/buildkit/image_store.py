"""The exporters ``moby`` and ``image``: a result as an image of the engine's."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Final, cast

import msgspec

from wharf.build.caches.config import inline
from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Description, Vertex
from wharf.build.operations.results import Layers
from wharf.build.session.credentials import credentials
from wharf.engine.buildkit.caches import chain_of
from wharf.engine.buildkit.dockerfile import DockerfileRef
from wharf.engine.buildkit.job import Job, Outcome
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.images.lookup import tagged
from wharf.images.platform import host
from wharf.lib.reference import Reference, parse_reference
from wharf.spec.buildkit_cache import INLINE
from wharf.spec.oci_image import ImageConfig

_OPTIONS: Final = {"name", "push", "push-by-digest", "unpack", "store", "dangling-name-prefix", "name-canonical"}
_FALSE: Final = ("", "0", "f", "false", "False", "FALSE")


def image_store(number: int, attributes: Mapping[str, str]) -> Callable[[Job, Outcome], Awaitable[dict[str, str]]]:
    """Return what makes an image, with all the names that ``attributes`` have.

    Raises:
        NotImplementedHere: an option is not supported.
        InvalidArgument: a name is malformed.
    """
    del number  # the client takes no part
    for name, value in attributes.items():
        if name not in _OPTIONS:
            said = f"the option {name} of the image exporter is not supported by this build of wharf"
            raise NotImplementedHere(said)
        if name == "push-by-digest" and value not in _FALSE:
            raise NotImplementedHere("pushing by digest is not supported by this build of wharf")
    names = names_of(attributes)
    pushed = names if attributes.get("push", "") not in _FALSE else []
    if attributes.get("push", "") not in _FALSE and not names:
        raise InvalidArgument("tag is needed when pushing to registry")

    async def export(job: Job, outcome: Outcome) -> dict[str, str]:
        vertex = Vertex(Source("export://image"), (), job.ref, Description("exporting to image"))
        job.progress.began(vertex)
        try:
            image_id = await _make(job, outcome, names)
        except Exception as error:
            job.progress.ended(vertex, error=str(error))
            raise
        job.progress.ended(vertex, result=image_id)
        for name in pushed:
            await _push(job, name)
        response = {"containerimage.digest": image_id, "containerimage.config.digest": image_id}
        if names:
            response["image.name"] = ",".join(str(name) for name in names)
        return response

    return export


async def _push(job: Job, name: Reference) -> None:
    """Push an image as the client's user; its layers are told of in a step."""
    vertex = Vertex(Source("export://push"), (), f"{job.ref}{name}", Description(f"pushing {name.familiar}"))
    job.progress.began(vertex)
    try:
        found = await credentials(job.session, name.domain)
        async with aclosing(job.bench.context.images.transfers.push(str(name), credentials=found)) as documents:
            async for _ in documents:
                pass
    except Exception as error:
        job.progress.ended(vertex, error=str(error))
        raise
    job.progress.ended(vertex)


async def _make(job: Job, outcome: Outcome, names: list[Reference]) -> str:
    config, layers = await single(job, outcome)
    context = job.bench.context
    image = await context.images.layers.assemble(config, layers.chain_id, names)
    context.events.publish("image", "build", image.id, {"name": image.id})
    for name in names:
        context.events.publish("image", "tag", image.id, {"name": name.familiar})
    return image.id


async def single(job: Job, outcome: Outcome) -> tuple[ImageConfig, Layers]:
    """Return the one result there is, as an image: its configuration and its layers.

    Raises:
        InvalidArgument: there are several, or it is no layers.
    """
    if len(outcome.refs) != 1:
        raise InvalidArgument("the image store keeps an image for one platform: build for one")
    ((name, ref),) = outcome.refs.items()
    result = Layers() if ref is None else await ref.solve()
    if not isinstance(result, Layers):
        raise InvalidArgument("a folder from outside cannot be an image: copy it first")
    if isinstance(ref, DockerfileRef):
        return await _with_cache(job, ref.project.configuration(result, job.bench.cache), ref, result), result
    platform = host() if ref is None else ref.platform
    plain: ImageConfig = {"architecture": platform.architecture, "os": platform.os, "config": {}}
    given = _given(outcome.metadata, name)
    return {**plain, "created": job.bench.context.clock.now(), **given}, result


async def _with_cache(job: Job, config: ImageConfig, ref: DockerfileRef, result: Layers) -> ImageConfig:
    """Return a configuration that says how the image's layers were made, when that was asked for."""
    if not job.inline_cache:
        return config
    records = inline(await ref.kept(), chain_of(job, result))
    told = base64.b64encode(msgspec.json.encode(records)).decode()
    return cast("ImageConfig", {**config, INLINE: told}) if records else config


def _given(metadata: Mapping[str, bytes], name: str) -> ImageConfig:
    """Return the configuration that a client gives with a result of its own (containerimage.config)."""
    key = f"containerimage.config/{name}" if name else "containerimage.config"
    try:
        return msgspec.json.decode(metadata.get(key, b"{}"), type=ImageConfig)
    except msgspec.MsgspecError as error:
        raise InvalidArgument(f"invalid image config: {error}") from None


def names_of(attributes: Mapping[str, str]) -> list[Reference]:
    """Return the names that an exporter gives to an image.

    Raises:
        InvalidArgument: one is malformed.
    """
    return [_name(text) for text in attributes.get("name", "").split(",") if text]


def _name(text: str) -> Reference:
    reference = parse_reference(text)
    if reference.digest:
        raise InvalidArgument("invalid reference format: refusing to create a tag with a digest reference")
    return tagged(reference.repository, reference.tag)
