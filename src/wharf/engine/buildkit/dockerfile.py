"""The frontend ``dockerfile.v0``: a client's Dockerfile and context, as results that are done when asked for."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from wharf.build import context as contexts
from wharf.build.caches.config import Kept
from wharf.build.checks.check import Report
from wharf.build.context import DEFAULT_DOCKERFILE
from wharf.build.convert.options import Options
from wharf.build.dockerfile.directives import syntax_of
from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.epoch import EPOCH
from wharf.build.graph.needed import needed
from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Description, Vertex
from wharf.build.operations.results import Layers, Result
from wharf.build.session import upload
from wharf.engine.buildkit.attributes import Asked, asked_of, options_of
from wharf.engine.buildkit.cache_options import caches_from
from wharf.engine.buildkit.caches import take_caches
from wharf.engine.buildkit.failures import SourceText, described
from wharf.engine.buildkit.folders import loading
from wharf.engine.buildkit.frontends import GATEWAY, other_syntax
from wharf.engine.buildkit.inputs import Handed
from wharf.engine.buildkit.job import Job, Origin, Outcome
from wharf.engine.buildkit.remarks import answered, warnings
from wharf.engine.buildkit.truth import truth_of
from wharf.engine.buildkit.worker import platform_document
from wharf.engine.builds import calls
from wharf.engine.builds.entitlements import require_granted
from wharf.engine.builds.project import Project
from wharf.engine.builds.sources import Given, Sources
from wharf.errors import InvalidArgument, NotFound, WharfError
from wharf.images.platform import Platform, host
from wharf.lib.ignore import Matcher, read_patterns

_IGNORE: Final = ".dockerignore"
_BODY: Final = "http://request/body"  # how records call a context that came with the request
T = TypeVar("T")


class DockerfileRef:
    """One platform's result."""

    def __init__(self, job: Job, asked: Asked, project: Project, text: SourceText) -> None:
        self.project = project
        self.text = text
        self._job = job
        self._asked = asked
        self._solving: asyncio.Task[Layers] | None = None

    @property
    def platform(self) -> Platform:
        """What it was made for."""
        return self.project.options.platform

    async def solve(self) -> Layers:
        """Do the build, once.

        Raises:
            CallFailed: a step could not be done; with its lines.
        """
        if self._solving is None:
            self._solving = asyncio.get_running_loop().create_task(self._solve())
            self._job.stack.push_async_callback(_settle, self._solving)
        return await asyncio.shield(self._solving)

    async def _solve(self) -> Layers:
        job = self._job
        workshop = job.workshop(self._asked.limits)
        return await self._told(self.project.solve(workshop, job.offers, job.progress, job.imports))

    async def scans(self) -> dict[str, Result]:
        """Return what is to be scanned for software besides the result, by name. Raises as :meth:`solve`."""
        await self.solve()
        return await self._told(self.project.scans())

    async def _told(self, work: Awaitable[T]) -> T:
        try:
            return await work
        except WharfError as error:
            raise described(error, self.text, self._job) from error

    async def kept(self) -> list[Kept]:
        """Return what is kept of all that it needs, once it is solved."""
        return await self.project.kept()

    @property
    def origin(self) -> Origin:
        """What it is made of."""
        asked, project = self._asked, self.project
        remote = "" if asked.remote.startswith("local:") else asked.remote
        text = self.text
        return Origin(
            project.target, project.sources, "dockerfile.v0", asked.attributes, text.filename, text.data, remote
        )


async def build(
    job: Job,
    attributes: Mapping[str, str],
    given: Mapping[str, Given] | None = None,
    handed: Handed | None = None,
) -> Outcome:
    """Read a Dockerfile and make its graph, one a platform; nothing is done yet.

    Args:
        job: whose build it is.
        attributes: the options of BuildKit's frontend.
        given: images that the client gives, by the references that named contexts have.
        handed: what the client itself has said, for a frontend that is an image.

    Raises:
        CallFailed: the Dockerfile is malformed; with its lines.
        NotFound: there is no Dockerfile, or an image does not exist.
        NotImplementedHere: an option is not supported.
    """
    asked, caches = asked_of(attributes), caches_from(attributes)
    job.asked = ("dockerfile.v0", dict(attributes))
    sources = job.sources(given)
    if job.sent is not None or (asked.remote and not asked.remote.startswith("local:")):
        asked = replace(asked, context_epoch_s=await _bring(job, asked, sources))
    text, ignore = await _texts(job, asked)
    syntax = attributes.get("build-arg:BUILDKIT_SYNTAX") or syntax_of(text.data.decode("utf-8", "replace"))
    if image := other_syntax(syntax):
        said = handed or Handed(attributes)
        job.asked = (GATEWAY, dict(said.attributes))
        return await job.run_image(image, {**said.attributes, "source": image, "cmdline": syntax}, said.inputs)
    await _thin_out(job, asked)
    patterns = _patterns(ignore)
    main = Source(f"local://{asked.context_name}", _excludes(patterns))
    looked = calls.Text(text.filename, text.data.decode("utf-8", "surrogateescape"), Matcher(patterns))
    first, refs = _first(asked, main), dict[str, DockerfileRef]()

    def check() -> Report:
        reading = job.bench.readings.of(looked.source)
        return calls.checked(looked, first, sources.image_here, every_stage=False, reading=reading)

    try:
        if asked.request:
            return Outcome({"": None}, answered(asked.request, looked, first, sources.image_here))
        reading = job.bench.readings.of(looked.source)
        for platform in asked.platforms or (host(),):
            options = options_of(asked, host(), platform, main)
            project = Project(job.bench.context, sources, reading, options)
            await _prepare(job, project)
            refs[str(platform)] = DockerfileRef(job, asked, project, text)
        await take_caches(job, caches)
        if refusal := _remark(job, asked, text, check()).refusal():
            raise InvalidArgument(refusal)
    except WharfError as error:
        if isinstance(error, DockerfileError) and not asked.request:
            with suppress(DockerfileError):  # it cannot even be taken apart, which is what is raised below
                _remark(job, asked, text, check())
        raise described(error, text) from error
    return _outcome(refs, several=asked.multi_platform)


def _first(asked: Asked, main: Source) -> Options:
    """Return the options for the first platform: what is looked at is the same for all."""
    return options_of(asked, host(), (asked.platforms or (host(),))[0], main)


def _remark(job: Job, asked: Asked, text: SourceText, report: Report) -> Report:
    """Tell what the Dockerfile should not say; return that."""
    vertex = loading(asked.dockerfile_name, _about(text.filename))
    for warning in warnings(report.findings, text, vertex.digest):
        job.journal.warn(warning)
    return report


def _about(filename: str) -> str:
    return f"load build definition from {filename}"


async def _prepare(job: Job, project: Project) -> None:
    """Make a project's graph, and tell what is in it."""
    converted = await job.stack.enter_async_context(project)
    if converted.target is not None:
        require_granted(converted.target, job.grants)
        job.folders.narrow(needed(converted.target))
        job.journal.announce(converted.target)


def _outcome(refs: Mapping[str, DockerfileRef], *, several: bool) -> Outcome:
    """Return results as BuildKit's own frontend does (BuildKit, exporter/containerimage/exptypes)."""
    metadata: dict[str, bytes] = {}
    for name, ref in refs.items():
        key = f"containerimage.config/{name}" if several else "containerimage.config"
        metadata[key] = msgspec.json.encode(ref.project.image)
    platforms = [{"ID": name, "Platform": platform_document(ref.platform)} for name, ref in refs.items()]
    metadata["refs.platforms"] = msgspec.json.encode({"Platforms": platforms})
    return Outcome({name if several else "": ref for name, ref in refs.items()}, metadata)


async def _bring(job: Job, asked: Asked, sources: Sources) -> int | None:
    """Bring a main context that is no folder of the client's: a repository, an archive, its standard input, a body.

    Returns its time in seconds, where it has one.

    Raises:
        InvalidArgument: the address is none of these.
    """
    vertex = Vertex(Source(asked.remote or _BODY), (), "context", Description("[internal] load remote build context"))
    folder = job.work / "remote"
    job.progress.began(vertex)
    try:
        path = job.work / "upload"
        if job.sent is not None:
            await _write(job.sent, path)
            time_s = await asyncio.to_thread(contexts.receive_file, path, folder)
        elif asked.remote.startswith(f"http://{upload.HOST}/"):
            await upload.pull(await job.session(), asked.remote, path)
            time_s = await asyncio.to_thread(contexts.receive_file, path, folder)
        else:
            keep_git = truth_of(asked.attributes, "build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR")
            dated = bool(asked.attributes.get(f"build-arg:{EPOCH}"))
            time_s = await sources.receive_remote(asked.remote, folder, keep_git=keep_git, commit_times=dated)
    except Exception as error:
        job.progress.ended(vertex, error=str(error))
        raise
    job.progress.ended(vertex)
    job.folders.replace(asked.context_name, folder)
    if "dockerfilekey" not in asked.attributes:
        job.folders.replace(asked.dockerfile_name, folder)
    return time_s


async def _write(chunks: AsyncIterator[bytes], path: Path) -> None:
    with await asyncio.to_thread(path.open, "xb") as file:
        async for chunk in chunks:
            await asyncio.to_thread(file.write, chunk)


async def _thin_out(job: Job, asked: Asked) -> None:
    """Find what named folders of the client's leave out: each may have an ignore file."""
    for name, where in asked.attributes.items():
        if not (name.startswith("context:") and where.startswith("local:")):
            continue
        folder, about = where.removeprefix("local:"), f"context {name.removeprefix('context:')}"
        found = await job.folders.read(folder, [_IGNORE], f"load {_IGNORE} of the {about}")
        if _IGNORE in found:
            job.folders.leave_out(folder, _patterns(found[_IGNORE]))


async def _texts(job: Job, asked: Asked) -> tuple[SourceText, bytes]:
    """Return the Dockerfile and its ignore file; what comes from elsewhere is not thinned out."""
    name = posixpath.normpath(asked.filename)
    own_ignore = f"{name}{_IGNORE}"
    names = [name, own_ignore]
    if posixpath.basename(name) == DEFAULT_DOCKERFILE:
        names.append(posixpath.join(posixpath.dirname(name), DEFAULT_DOCKERFILE.lower()))
    found = await job.folders.read(asked.dockerfile_name, names, _about(name))
    data = next((found[one] for one in (name, *names[2:]) if one in found), None)
    if data is None:
        raise NotFound(f"failed to read dockerfile: open {name}: no such file or directory")
    if not data.strip():
        raise InvalidArgument(f"the Dockerfile ({name}) cannot be empty")
    if own_ignore in found:
        return SourceText(name, data), found[own_ignore]
    if asked.remote and not asked.remote.startswith("local:"):
        return SourceText(name, data), b""
    ignored = await job.folders.read(asked.context_name, [_IGNORE], f"load {_IGNORE}")
    return SourceText(name, data), ignored.get(_IGNORE, b"")


def _patterns(ignore: bytes) -> list[str]:
    try:
        patterns = list(read_patterns(ignore.decode("utf-8", "replace")))
        Matcher(patterns)
    except ValueError as error:
        raise InvalidArgument(f"error reading {_IGNORE}: {error}") from None
    return patterns


def _excludes(patterns: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return (("local.excludepatterns", msgspec.json.encode(patterns).decode()),) if patterns else ()


async def _settle(task: asyncio.Task[Layers]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
