"""The exporters ``local``, ``tar``, ``oci`` and ``docker``: a result sent to the client over its session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, aclosing, asynccontextmanager, suppress
from typing import Final

from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Description, Vertex
from wharf.build.operations.results import Layers, Result
from wharf.build.session.filesend import send_file, send_tree
from wharf.engine.buildkit.image_store import names_of, single
from wharf.engine.buildkit.job import Job, Outcome
from wharf.errors import Conflict, InvalidArgument, NotFound, NotImplementedHere
from wharf.images.bridge import Blocking
from wharf.lib.reference import Reference
from wharf.storage.copying import packed

Export = Callable[[Job, Outcome], Awaitable[dict[str, str]]]
_TREE: Final = {"dest", "platform-split"}
_ARCHIVE: Final = {"dest", "name", "tar", "unpack", "store"}
_CHUNK: Final = 1 << 20


def local(number: int, attributes: Mapping[str, str]) -> Export:
    """Return what sends a result's files into a folder of the client's.

    Raises:
        NotImplementedHere: an option is not supported.
    """
    _require("local", attributes, _TREE)

    async def export(job: Job, outcome: Outcome) -> dict[str, str]:
        result = await _files(outcome)
        async with _step(job, "exporting to client directory"), _opened(job, result) as root:
            await send_tree(await job.session(), number, root)
        return {}

    return export


def tar(number: int, attributes: Mapping[str, str]) -> Export:
    """Return what sends a result's files as an archive.

    Raises:
        NotImplementedHere: an option is not supported.
    """
    _require("tar", attributes, _TREE)

    async def export(job: Job, outcome: Outcome) -> dict[str, str]:
        result = await _files(outcome)
        async with _step(job, "exporting to client tarball"), _opened(job, result) as root:
            if root is None:
                raise InvalidArgument("there is nothing in the result: it has no archive")
            await send_file(await job.session(), number, _archive(root))
        return {}

    return export


def image_archive(kind: str) -> Callable[[int, Mapping[str, str]], Export]:
    """Return the exporter ``oci`` or ``docker``: both send the one archive that each kind of tool can read."""

    def planned(number: int, attributes: Mapping[str, str]) -> Export:
        _require(kind, attributes, _ARCHIVE)
        if attributes.get("tar", "true") not in ("true", "1"):
            raise NotImplementedHere(f"tar=false of the exporter {kind} is not supported by this build of wharf")
        names = names_of(attributes)

        async def export(job: Job, outcome: Outcome) -> dict[str, str]:
            async with _step(job, f"exporting to {kind} image format"):
                return await _send_image(job, outcome, number, names)

        return export

    return planned


async def _send_image(job: Job, outcome: Outcome, number: int, names: Sequence[Reference]) -> dict[str, str]:
    config, layers = await single(job, outcome)
    images = job.bench.context.images
    before = {image["Id"] for image in await images.list(all=True)}
    image = await images.layers.assemble(config, layers.chain_id, ())
    try:
        async with aclosing(images.save_as(image, names)) as chunks:
            await send_file(await job.session(), number, chunks)
    finally:
        if image.id not in before:
            with suppress(NotFound, Conflict):  # somebody has named or removed it meanwhile
                if images.resolve(image.id).dangling:
                    await images.remove(image.id)
    return {"containerimage.digest": str(image.manifest_digest), "containerimage.config.digest": str(image.id)}


def _require(kind: str, attributes: Mapping[str, str], known: set[str]) -> None:
    for name in attributes:
        if name not in known:
            said = f"the option {name} of the exporter {kind} is not supported by this build of wharf"
            raise NotImplementedHere(said)


async def _files(outcome: Outcome) -> Result:
    if len(outcome.refs) != 1:
        raise NotImplementedHere("exporting the files of several platforms at once is not supported: build for one")
    (ref,) = outcome.refs.values()
    return Layers() if ref is None else await ref.solve()


@asynccontextmanager
async def _step(job: Job, name: str) -> AsyncIterator[None]:
    vertex = Vertex(Source("export://client"), (), job.ref + name, Description(name))
    job.progress.began(vertex)
    try:
        yield
    except Exception as error:
        job.progress.ended(vertex, error=str(error))
        raise
    job.progress.ended(vertex)


@asynccontextmanager
async def _opened(job: Job, result: Result) -> AsyncIterator[int | None]:
    with ExitStack() as stack:
        yield await asyncio.to_thread(stack.enter_context, job.bench.store.open(result))


async def _archive(root: int) -> AsyncIterator[bytes]:
    blocking = Blocking()
    with packed(root, overlay=False) as stream:
        async for chunk in blocking.iterate(iter(lambda: stream.read(_CHUNK), b"")):
            if chunk is not None:
                yield chunk
