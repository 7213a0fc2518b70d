"""Where a build's bytes come from: the store's images, contexts that a client sent, the web, repositories."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wharf.build import context as contexts
from wharf.build.convert.options import MAIN_CONTEXT, BaseImage, ImageName, Options
from wharf.build.convert.remotes import parse_git
from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Vertex
from wharf.build.operations import git, web
from wharf.build.operations.results import Folder, Layers, Result
from wharf.build.source_policy import Policy, decided, expressions_of
from wharf.engine.builds.pulling import Pulling
from wharf.engine.builds.regular import Expressions
from wharf.engine.context import Context
from wharf.engine.streams import on_thread
from wharf.errors import InvalidArgument, NotFound, NotImplementedHere
from wharf.kernel.process import Stop
from wharf.spec.oci_image import ImageConfig


class Folders(Protocol):
    """The folders of a build's client."""

    async def folder(self, vertex: Vertex, source: Source) -> Path:
        """Return the folder that a source of the scheme ``local`` names.

        Raises:
            NotFound: the client has none of that name.
        """


class Received:
    """The one folder of a client that has sent an archive of it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def folder(self, vertex: Vertex, source: Source) -> Path:  # noqa: ARG002  # it is here already
        """Return it."""
        if source.rest != MAIN_CONTEXT:
            raise NotFound(f"there is no build context {source.rest}")
        return self._path


@dataclass(frozen=True, slots=True)
class Given:
    """An image that is none of the store's: layers, and what is to be run of them."""

    layers: Layers
    config: ImageConfig


class Sources:
    """The sources of one build."""

    def __init__(
        self,
        context: Context,
        work: Path,
        folders: Folders,
        pulling: Pulling | None = None,
        given: Mapping[str, Given] | None = None,
        *,
        policies: Sequence[Policy] = (),
    ) -> None:
        """Remember where contexts are.

        Args:
            context: the engine.
            work: the build's own folder.
            folders: the client's.
            pulling: brings images that are not here; without it they are not found.
            given: images that the build's client gives, by reference.
            policies: what may be used, and what is used instead.
        """
        self._given = given or {}
        self._policies = policies
        self._expressions = Expressions(expressions_of(policies))
        self.brought: dict[str, dict[str, str]] = {}
        """Digests of what came from the web and from repositories, by algorithm, by identifier."""
        self._pulling = pulling
        self._pulled: set[ImageName] = set()
        self._context = context
        self._work = work
        self._folders = folders

    async def base_image(self, name: ImageName, options: Options, held: ExitStack) -> BaseImage:
        """Return an image that a build starts from, pulled if need be; it stays until ``held`` is closed.

        Raises:
            NotFound: there is none of that name, here or in its registry.
        """
        name = await asyncio.to_thread(self._decided, name) if self._policies else name
        if options.resolve_mode == "pull":
            await self._pull(name, options)
        try:
            return self._image_here(name, options, held)
        except NotFound:
            if self._pulling is None or name in self._pulled:
                raise
        await self._pull(name, options)
        return self._image_here(name, options, held)

    def image_here(self, name: ImageName, options: Options, held: ExitStack) -> BaseImage:
        """Return an image that is in the store; it stays until ``held`` is closed.

        Raises:
            NotFound: there is none of that name.
        """
        return self._image_here(self._decided(name), options, held)

    def _decided(self, name: ImageName) -> ImageName:
        """Return the image to use in the place of one.

        Raises:
            Forbidden: a policy denies it.
        """
        if not self._policies or name.reference in self._given:
            return name
        identifier, _ = decided(self._policies, f"docker-image://{name.reference}", {}, self._expressions)
        scheme, _, rest = identifier.partition("://")
        if scheme != "docker-image":
            raise NotImplementedHere(f"a policy that makes {identifier} of an image is not supported")
        return ImageName(rest, name.platform)

    def _image_here(self, name: ImageName, options: Options, held: ExitStack) -> BaseImage:
        if (given := self._given.get(name.reference)) is not None:
            return BaseImage("", given.config)
        record = self._context.images.resolve(name.reference, _asked(name, options))
        held.enter_context(self._context.images.hold(record))
        return BaseImage(record.id, record.config)

    async def _pull(self, name: ImageName, options: Options) -> None:
        """Pull an image, once in a build."""
        if self._pulling is None or name in self._pulled:
            return
        self._pulled.add(name)
        await self._pulling.bring(name.reference, _asked(name, options))

    async def fetch(self, vertex: Vertex, source: Source) -> Result:
        """Bring what a source names.

        Raises:
            NotFound: it does not exist.
            NotImplementedHere: sources of its kind are not supported.
            Forbidden: a policy denies it.
        """
        if self._policies and source.scheme != "docker-image":  # an image was decided on when it was looked for
            identifier, attributes = await asyncio.to_thread(
                decided, self._policies, source.identifier, dict(source.attributes), self._expressions
            )
            source = Source(identifier, tuple(sorted(attributes.items())))
        match source.scheme:
            case "docker-image" if source.rest in self._given:
                return self._given[source.rest].layers
            case "docker-image":
                return Layers(self._context.images.resolve(source.attribute("image.digest") or source.rest).chain_id)
            case "local":
                return Folder(await self._folders.folder(vertex, source))
            case "http" | "https":
                return await self._fetch_web(source)
            case "git":
                return await self._fetch_git(source)
        raise NotImplementedHere(f"sources of the kind {source.scheme} are not supported by this build of wharf")

    async def _fetch_web(self, source: Source) -> Result:
        folder = self._new()
        request = web.Request(
            source.identifier, source.attribute("http.filename") or "file", source.attribute("http.checksum")
        )
        path = await web.download(request, folder)
        self.brought[source.identifier] = {"sha256": await asyncio.to_thread(_sha256, path)}
        if not source.attribute("http.unpack"):
            return Folder(folder)
        unpacked = self._new()
        await asyncio.to_thread(contexts.receive_file, path, unpacked)
        return Folder(unpacked)

    async def _fetch_git(self, source: Source) -> Result:
        folder = self._new()
        self.brought[source.identifier] = _digest(await _check_out(source, folder))
        return Folder(folder)

    async def receive_remote(
        self, address: str, folder: Path, *, keep_git: bool = False, commit_times: bool = False
    ) -> int | None:
        """Make the main context of an address: a repository, an archive or a Dockerfile.

        Returns its time in seconds (BuildKit, docs/build-repro): when it was committed or last modified, or that of
        an archive's newest file; None where nothing says one.

        Args:
            address: where it is.
            folder: where it is made.
            keep_git: a repository comes with its .git (BUILDKIT_CONTEXT_KEEP_GIT_DIR).
            commit_times: its files have the commit's time.

        Raises:
            InvalidArgument: it is none of these.
        """
        source = repository_of(address, keep_git=keep_git, commit_times=commit_times)
        if source is not None:
            commit = await _check_out(source, folder)
            self.brought[address] = _digest(commit)
            return commit.time_s
        if address.startswith(("http://", "https://")):
            path = await web.download(web.Request(address, "context"), self._new())
            self.brought[address] = {"sha256": await asyncio.to_thread(_sha256, path)}
            modified_s = int(path.stat().st_mtime)
            newest_s = await asyncio.to_thread(contexts.receive_file, path, folder)
            return modified_s or newest_s
        raise InvalidArgument(f"remote URL ({address}) could not be recognized as URL")

    def _new(self) -> Path:
        return self._work / secrets.token_hex(4)


def repository_of(address: str, *, keep_git: bool, commit_times: bool = False) -> Source | None:
    """Return the repository that an address names, as a source; None for none. Pure."""
    found = parse_git(address)
    if found is None:
        return None
    attributes = found.attributes
    if keep_git:
        attributes["git.keepgitdir"] = "true"
    if commit_times:
        attributes["git.mtime"] = "commit"
    return Source(found.identifier, tuple(sorted(attributes.items())))


def _digest(commit: git.Commit) -> dict[str, str]:
    return {"sha1" if len(commit.name) == 40 else "sha256": commit.name}


async def _check_out(source: Source, folder: Path) -> git.Commit:
    """Check a repository out and return the commit; git is ended when the build is cancelled."""
    request, stop = git.request_of(source), Stop()
    return await on_thread(lambda: git.checkout(request, folder, stop), "wharf-git", stop.ask)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _asked(name: ImageName, options: Options) -> str | None:
    """Return the platform to ask for; None for this machine's, whose variant is the store's to choose."""
    return str(name.platform) if name.platform.architecture != options.host.architecture else None
