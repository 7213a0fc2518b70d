"""docker image …: the image store, with what only the engine knows: which containers use an image, and the events."""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from wharf.engine.context import Context
from wharf.errors import InvalidArgument
from wharf.images.lookup import tagged
from wharf.images.manifests import Shown
from wharf.images.registry.credentials import from_document, parse_registry_auth
from wharf.images.removal import ImageUse
from wharf.images.squashing import SquashRequest
from wharf.lib.filters import Filters
from wharf.spec.engine_api.image import (
    AttestationStatement,
    DistributionInspect,
    ImageDeleteResponseItem,
    ImageHistoryResponseItem,
    ImageInspect,
    ImageSummary,
    SearchResult,
)
from wharf.spec.engine_api.system import AuthConfig, AuthResponse

if TYPE_CHECKING:
    from wharf.images.transfers import Pulled

Document = dict[str, object]


class ImageVerbs:
    """The images of one engine."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._images = context.images

    async def inspect(self, name: str, platform: str | None = None, *, manifests: bool = False) -> ImageInspect:
        """Return all of an image, or of its one for a platform, and what its name leads to."""
        return await self._images.inspect(name, platform, Shown(self._containers_of) if manifests else None)

    async def attestations(
        self, name: str, platform: str | None = None, *, types: Collection[str] = (), statement: bool = False
    ) -> builtins.list[AttestationStatement]:
        """Return what is attested of an image, or of its one for a platform; with ``statement`` the statements."""
        record, named = self._images.resolve(name, platform), self._images.resolve(name)
        names = (name, *map(str, named.references))
        indexes = dict.fromkeys(self._images.target(named, one) for one in names)
        return await self._images.stored(record).attestations(indexes.keys(), types, whole=statement)

    def _containers_of(self, image_id: str) -> Sequence[str]:
        return [*dict.fromkeys(use.container_id for use in self.uses_of(image_id))]

    def _counted(self) -> Counter[str]:
        """Return how many containers are made from each image, or mount it."""
        counted: Counter[str] = Counter()
        for container in self._context.registry:
            mounted = (point.get("Name") or "" for point in container.spec.mounts if point.get("Type") == "image")
            counted.update({container.image_id, *mounted})
        return counted

    async def history(self, name: str, platform: str | None = None) -> builtins.list[ImageHistoryResponseItem]:
        """Return an image's layers and what made them, newest first."""
        return await self._images.history(name, platform)

    async def tag(self, name: str, *, repository: str, tag: str | None) -> None:
        """Give an image one more name."""
        await self._images.tag(name, repository=repository, tag=tag)
        self._publish("tag", self._images.resolve(name).id, f"{repository}:{tag or 'latest'}")

    async def remove(
        self, name: str, *, force: bool = False, noprune: bool = False, platforms: Iterable[str] = ()
    ) -> builtins.list[ImageDeleteResponseItem]:
        """Remove a name, and the image with its last one; or the images for some platforms that it leads to.

        Raises:
            NotFound: there is none of that name.
            Conflict: a container uses it.
        """
        image_id = self._images.resolve(name).id
        known = {image_id, *self._images.siblings(image_id)} if platforms else {image_id}
        done = await self._images.remove(name, force=force, noprune=noprune, platforms=platforms, in_use=self.uses_of)
        for item in done:
            if untagged := item.get("Untagged"):
                self._publish("untag", image_id, untagged)
            elif (item.get("Deleted") or "") in known:
                self._publish("delete", str(item["Deleted"]), str(item["Deleted"]))
        return done

    async def prune(self, filters: Filters | None = None) -> Document:
        """Remove the images that nothing uses."""
        pruned = await self._images.prune(filters or {}, in_use=self.uses_of)
        self._context.events.publish("image", "prune", "", {"reclaimed": str(pruned["SpaceReclaimed"])})
        return pruned

    async def load(
        self, chunks: AsyncIterator[bytes], *, quiet: bool = True, platforms: Iterable[str] = ()
    ) -> AsyncIterator[Document]:
        """Read an archive, or what it has for some platforms; yields what it brought."""
        async with aclosing(self._images.load(chunks, quiet=quiet, platforms=platforms)) as documents:
            async for document in documents:
                yield document
                name = str(document.get("stream") or "").partition(": ")[2].strip()
                if name:
                    self._publish("load", self._images.resolve(name).id, name)

    async def save(self, names: Iterable[str], platforms: Iterable[str] = ()) -> AsyncIterator[bytes]:
        """Yield an archive of the named images, or of those for some platforms."""
        wanted = builtins.list(names)
        for name in wanted:
            for image_id in self._images.named(name):
                self._publish("save", image_id, name)
        async with aclosing(self._images.save(wanted, platforms)) as archive:
            async for chunk in archive:
                yield chunk

    async def pull(
        self, name: str, *, tag: str | None = None, platform: str | None = None, auth: str = ""
    ) -> AsyncIterator[Document]:
        """Bring an image from its registry; yields progress.

        Args:
            name: its reference; a repository alone, with no ``tag`` either, stands for all of its tags.
            tag: a tag or a digest.
            platform: ``os/architecture[/variant]``; this machine's by default.
            auth: an ``X-Registry-Auth`` header: who asks.

        Raises:
            NotFound: the registry has no such image.
        """
        credentials = parse_registry_auth(auth)

        def done(pulled: Pulled) -> None:
            self._publish("pull", pulled.image_id, pulled.reference.familiar)

        work = self._images.transfers.pull(name, tag=tag, platform=platform, credentials=credentials, done=done)
        async with aclosing(work) as documents:
            async for document in documents:
                yield document

    async def push(
        self, name: str, *, tag: str | None = None, platform: str | None = None, auth: str = ""
    ) -> AsyncIterator[Document]:
        """Send an image to its registry; yields progress. Arguments as :meth:`pull`.

        Raises:
            NotFound: there is no such image here.
            Unauthorized: the registry wants credentials, or others.
        """
        credentials = parse_registry_auth(auth)

        def done(pushed: Pulled) -> None:
            self._publish("push", pushed.image_id, pushed.reference.familiar)

        async with aclosing(
            self._images.transfers.push(name, tag=tag, platform=platform, credentials=credentials, done=done)
        ) as documents:
            async for document in documents:
                yield document

    async def search(
        self, term: str, *, limit: int | None = None, filters: Filters | None = None, auth: str = ""
    ) -> builtins.list[SearchResult]:
        """Return the repositories that a registry finds for a term."""
        credentials = parse_registry_auth(auth)
        return await self._images.transfers.search(term, limit=limit, filters=filters or {}, credentials=credentials)

    async def distribution(self, name: str, *, auth: str = "") -> DistributionInspect:
        """Return what a registry has under a name; NotFound when it has no such image."""
        return await self._images.transfers.distribution(name, credentials=parse_registry_auth(auth))

    async def authenticate(self, asked: AuthConfig) -> AuthResponse:
        """Check a user with a registry (docker login); Docker Hub when none is named.

        Raises:
            Unauthorized: the registry does not accept them.
            Unavailable: it cannot be reached.
        """
        token = await self._images.transfers.authenticate(from_document({**asked}))
        return {"IdentityToken": token, "Status": "Login Succeeded"}

    async def import_(
        self,
        chunks: AsyncIterator[bytes],
        *,
        repository: str | None,
        tag: str | None,
        message: str | None,
        changes: Sequence[str],
        platform: str | None,
        address: str | None = None,
    ) -> AsyncIterator[Document]:
        """Make an image of one layer from a tar archive; yields progress and last its id.

        ``address``: where the archive is, in place of ``chunks``; of HTTP unless it says another scheme.

        Raises:
            InvalidArgument: the archive or an argument is malformed.
            NotFound, Unavailable: it cannot be had from there.
        """
        if address is not None:
            from wharf.build.operations import web  # noqa: PLC0415  # a client of HTTP, which few need

            address = address if "://" in address else f"http://{address}"
            if not address.startswith(("http://", "https://")):
                raise InvalidArgument(f'unsupported protocol scheme "{address.partition("://")[0]}"')
            yield {"status": f"Downloading from {address}"}
            chunks = web.read(address)
        image_id = ""
        work = self._images.import_(
            chunks, repository=repository, tag=tag, message=message, changes=changes, platform=platform
        )
        async with aclosing(work) as documents:
            async for document in documents:
                image_id = str(document.get("status") or "")
                yield document
        self._publish("import", image_id, f"{repository}:{tag or 'latest'}" if repository else image_id)

    async def squash(
        self, name: str, *, base: str | None, repository: str | None, tag: str | None, comment: str = ""
    ) -> str:
        """Make an image whose layers above those of ``base``, or all, are one; return its id.

        Raises:
            NotFound: there is no such image.
            InvalidArgument: it does not lie on the base, or the name is malformed.
        """
        reference = tagged(repository, tag) if repository else None
        below = self._images.resolve(base) if base else None
        request = SquashRequest(self._images.resolve(name), below, [reference] if reference else [], comment)
        image = await self._images.layers.squash(request)
        self._publish("create", image.id, image.id)
        if reference:
            self._publish("tag", image.id, reference.familiar)
        return image.id

    async def bootstrap(
        self, name: str, *, include: Iterable[str] = (), reference: str | None = None
    ) -> AsyncIterator[Document]:
        """Make a base image without a registry; yields progress and last its id."""
        image_id = ""
        work = self._images.bootstrap(name, include=include, reference=reference)
        async with aclosing(work) as documents:
            async for document in documents:
                image_id = str(document.get("status") or "")
                yield document
        self._publish("import", image_id, reference or name)

    async def list(
        self,
        *,
        all: bool = False,  # noqa: A002  # the API's word
        filters: Filters | None = None,
        shared_size: bool = False,
        digests: bool = False,
        manifests: bool = False,
        identity: bool = False,
    ) -> builtins.list[ImageSummary]:
        """Return images, newest first, with ``manifests`` all that their names lead to; ``identity``: from where."""
        found = await self._images.list(
            all=all,
            filters=filters or {},
            shared_size=shared_size,
            digests=digests,
            manifests=Shown(self._containers_of, identity) if manifests or identity else None,
        )
        counted = self._counted()
        for image in found:
            image["Containers"] = counted[image.get("Id") or ""]
        return found

    def uses_of(self, image_id: str) -> Sequence[ImageUse]:
        """Return the containers made from an image, and those that mount it."""
        found = []
        for container in self._context.registry:
            names = [container.spec.config.get("Image") or ""] if container.image_id == image_id else []
            names += [
                point.get("Source") or ""
                for point in container.spec.mounts
                if point.get("Type") == "image" and point.get("Name") == image_id
            ]
            found += [ImageUse(container.id, container.state.alive, name) for name in names]
        return found

    def _publish(self, action: str, image_id: str, name: str) -> None:
        self._context.events.publish("image", action, image_id, {"name": name})
