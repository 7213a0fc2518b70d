"""The exporters ``local``, ``tar``, ``oci`` and ``docker``: a result sent to the client over its session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, aclosing, asynccontextmanager
from typing import Final

from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Description, Vertex
from wharf.build.operations.results import Layers, Tree
from wharf.build.session.contents import ClientStore
from wharf.build.session.filesend import Root, send_file, send_tree
from wharf.engine.buildkit.image_options import ARCHIVED, epoch_in, image_options
from wharf.engine.buildkit.images import image_set, told_of
from wharf.engine.buildkit.job import Job, Outcome, Ref
from wharf.engine.buildkit.retiming import epoch_of
from wharf.engine.buildkit.statements import files_of
from wharf.engine.buildkit.together import require_apart
from wharf.engine.buildkit.truth import truth_of
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.images.bridge import Blocking
from wharf.images.image_set import ImageSet
from wharf.images.layout import archive
from wharf.images.platform import host
from wharf.lib.finishing import to_the_end
from wharf.lib.reference import Reference
from wharf.storage.copying import piped
from wharf.storage.pack import pack_several, pack_together
from wharf.storage.tar_writer import Sink

Export = Callable[[Job, Outcome], Awaitable[dict[str, str]]]
_TREE: Final = {"dest", "platform-split", "source-date-epoch", "attestation-prefix"}
_MODES: Final = ("", "copy", "delete")
_EXPORT: Final = "export"  # the client's store for a folder that an image is written to
_CHUNK: Final = 1 << 20


def local(number: int, attributes: Mapping[str, str]) -> Export:
    """Return what sends results' files into a folder of the client's, several platforms' into a folder each.

    With the mode "delete" a client removes what is not among them.

    Raises:
        NotImplementedHere: an option is not supported.
        InvalidArgument: one is malformed.
    """
    _require("local", attributes, {*_TREE, "mode"})
    if (mode := attributes.get("mode", "").strip().lower()) not in _MODES:
        raise InvalidArgument(f'invalid local exporter mode "{mode}": it is copy or delete')
    epoch_s = epoch_in(attributes)

    async def export(job: Job, outcome: Outcome) -> dict[str, str]:
        async with _step(job, "exporting to client directory"), _roots(job, outcome, attributes) as roots:
            await send_tree(await job.session(), number, roots, _moment(job, outcome, epoch_s))
        return {}

    return export


def tar(number: int, attributes: Mapping[str, str]) -> Export:
    """Return what sends results' files as an archive, several platforms' in a folder each.

    Raises:
        NotImplementedHere: an option is not supported.
    """
    _require("tar", attributes, _TREE)
    epoch_s = epoch_in(attributes)

    async def export(job: Job, outcome: Outcome) -> dict[str, str]:
        async with _step(job, "exporting to client tarball"), _roots(job, outcome, attributes) as roots:
            if all(root.fd is None for root in roots):
                raise InvalidArgument("there is nothing in the result: it has no archive")
            await send_file(await job.session(), number, _archive(roots, _moment(job, outcome, epoch_s)))
        return {}

    return export


def _moment(job: Job, outcome: Outcome, asked_s: int | None) -> int | None:
    """Return the time that all files are to have, in nanoseconds; None for their own."""
    ref = next(iter(outcome.refs.values()), None)
    epoch_s = epoch_of(job, ref, asked_s)
    return None if epoch_s is None else epoch_s * 1_000_000_000


@asynccontextmanager
async def _roots(job: Job, outcome: Outcome, attributes: Mapping[str, str]) -> AsyncIterator[list[Root]]:
    """Open results, each with the folder it is to be in."""
    parted = truth_of(attributes, "platform-split", default=list(outcome.refs) != [""])
    together = len(outcome.refs) > 1 and not parted
    results = [(_folder(ref), ref) for ref in outcome.refs.values()]
    beside = attributes.get("attestation-prefix", "")
    if "/" in beside:
        raise InvalidArgument(f"invalid attestation-prefix {beside}: it is the beginning of a name")
    async with AsyncExitStack() as stack:
        opened: list[tuple[str, int | None]] = []
        for folder, ref in sorted(results, key=lambda one: one[0]):
            within = folder if together else ""
            opened.append((folder, await stack.enter_async_context(_opened(job, ref, beside, within))))
        if together:
            await asyncio.to_thread(require_apart, opened)
        yield [Root(fd, folder if parted else "") for folder, fd in opened]


def _folder(ref: Ref | None) -> str:
    return str(host() if ref is None else ref.platform).replace("/", "_")


async def _solved(ref: Ref | None) -> Tree:
    return Layers() if ref is None else await ref.solve()


def image_archive(kind: str) -> Callable[[int, Mapping[str, str]], Export]:
    """Return the exporter ``oci`` or ``docker``: both send the one archive that each kind of tool can read."""

    def planned(number: int, attributes: Mapping[str, str]) -> Export:
        options = image_options(kind, attributes, ARCHIVED, inline=False)
        as_archive = truth_of(attributes, "tar", default=True)

        async def export(job: Job, outcome: Outcome) -> dict[str, str]:
            if kind == "docker" and len(outcome.refs) > 1:
                raise InvalidArgument("docker exporter does not currently support exporting manifest lists")
            async with _step(job, f"exporting to {kind} image format"), image_set(job, outcome, options) as images:
                if as_archive:
                    await _send_archive(job, images, number, options.names)
                else:
                    await ClientStore(job.session, _EXPORT).write_images(images)
                return told_of(images, options)

        return export

    return planned


async def _send_archive(job: Job, images: ImageSet, number: int, names: Sequence[Reference]) -> None:
    blocking = Blocking()

    async def chunks() -> AsyncIterator[bytes]:
        async with aclosing(blocking.iterate(archive(images, names))) as pieces:
            async for piece in pieces:
                yield piece

    await send_file(await job.session(), number, chunks())


def _require(kind: str, attributes: Mapping[str, str], known: set[str]) -> None:
    for name in attributes:
        if name not in known:
            said = f"the option {name} of the exporter {kind} is not supported by this build of wharf"
            raise NotImplementedHere(said)


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
async def _opened(job: Job, ref: Ref | None, prefix: str, within: str) -> AsyncIterator[int | None]:
    """Open a result, with what is said of it beside its files (see :func:`files_of`)."""
    store, tree = job.bench.store, await _solved(ref)
    # What a thread makes is the stack's, as well when this is cancelled meanwhile.
    with ExitStack() as stack:
        if isinstance(tree, Layers):
            platform = str(host() if ref is None else ref.platform)
            if files := await files_of(job, ref, tree, platform, prefix, within=within):
                topping = asyncio.to_thread(stack.enter_context, store.topped(tree, files))
                tree = await to_the_end(asyncio.create_task(topping))
        yield await to_the_end(asyncio.create_task(asyncio.to_thread(stack.enter_context, store.open(tree))))


async def _archive(roots: Sequence[Root], mtime_ns: int | None) -> AsyncIterator[bytes]:
    blocking = Blocking()
    folders = [(root.prefix.encode(), root.fd) for root in roots if root.fd is not None]

    def write(sink: Sink) -> None:
        if folders[0][0]:
            pack_several(folders, sink, mtime_ns)
        else:
            pack_together([fd for _, fd in folders], sink, mtime_ns)

    with piped(write) as stream:
        async for chunk in blocking.iterate(iter(lambda: stream.read(_CHUNK), b"")):
            if chunk is not None:
                yield chunk
