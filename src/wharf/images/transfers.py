"""Images to and from registries: the front of pull, push, search and of asking what a registry has."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Final

from wharf.errors import InvalidArgument, Unauthorized
from wharf.images.artifacts import Artifact
from wharf.images.index import images_in, is_index, parse_index
from wharf.images.platform import Platform, parse_platform
from wharf.images.progress import Document, Progress
from wharf.images.pull import Pull
from wharf.images.push import Push
from wharf.images.record import parse_config, parse_manifest, platform_of_config
from wharf.images.registry.credentials import Credentials
from wharf.images.registry.hosts import RegistryOptions, hosts_of, origin
from wharf.images.registry.repository import Repository
from wharf.images.registry.search import search
from wharf.images.registry.sources import Sources
from wharf.images.registry.transport import Transport, Waiting
from wharf.images.registry.upload import Uploads
from wharf.images.store import Store
from wharf.lib.digest import Digest
from wharf.lib.filters import Filters
from wharf.lib.reference import DEFAULT_DOMAIN, HUB_HOST, Reference, parse_reference
from wharf.spec.engine_api.image import DistributionInspect, SearchResult
from wharf.spec.oci_image import Platform as PlatformDocument

_SERVER: Final = re.compile(r"[^\s/?#@]*")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull brought: for whoever tells others of it."""

    reference: Reference
    image_id: Digest


class Transfers:
    """The registries of one engine; close it when the engine closes."""

    def __init__(self, store: Store, options: RegistryOptions, waiting: Waiting | None = None) -> None:
        self._store = store
        self.options = options
        self._waiting = waiting
        self._transport = Transport(options, waiting)
        self._earlier: list[Transport] = []

    def reload(self, options: RegistryOptions) -> None:
        """Treat registries otherwise from now on; what is under way goes on as it began."""
        if options != self.options:
            self.options = options
            self._earlier.append(self._transport)
            self._transport = Transport(options, self._waiting)

    async def aclose(self) -> None:
        """Close the connections; idempotent."""
        for transport in (*self._earlier, self._transport):
            await transport.aclose()

    async def pull(
        self,
        name: str,
        *,
        tag: str | None = None,
        platform: str | None = None,
        credentials: Credentials,
        done: Callable[[Pulled], None] = lambda _: None,
    ) -> AsyncGenerator[Document, None]:
        """Bring an image in; yields Docker's progress documents.

        Args:
            name: its reference; a repository alone, with no ``tag`` either, stands for all of its tags.
            tag: a tag or a digest.
            platform: ``os/architecture[/variant]``; this machine's by default.
            credentials: who asks.
            done: called for each image that has come.

        Raises:
            InvalidArgument: an argument is malformed.
            NotFound: the registry has no such image.
            WharfError: why it could not be had.
        """
        wanted = parse_platform(platform) if platform else None
        reference = _asked(name, tag)
        sources = Sources(self._transport, credentials)
        progress = Progress()
        work = self._pull(sources, progress, reference, wanted, done)
        async with aclosing(progress.follow(work)) as documents:
            async for document in documents:
                yield document

    async def _pull(
        self,
        sources: Sources,
        progress: Progress,
        reference: Reference,
        platform: Platform | None,
        done: Callable[[Pulled], None],
    ) -> None:
        wanted = [reference]
        if not (reference.tag or reference.digest):
            tags = await sources.first(reference, lambda repository: repository.tags())
            wanted = [reference.with_tag(tag) for tag in tags]
        for one in wanted:
            pull = Pull(self._store, progress, one, platform, downloads=self.options.downloads)
            record = await pull.run(sources)
            done(Pulled(one, record.id))

    async def push(
        self,
        name: str,
        *,
        tag: str | None = None,
        platform: str | None = None,
        credentials: Credentials,
        insecure: bool = False,
        done: Callable[[Pulled], None] = lambda _: None,
    ) -> AsyncGenerator[Document, None]:
        """Send an image to its registry; yields Docker's progress documents.

        Args:
            name: its reference; a repository alone, with no ``tag`` either, stands for all of its tags here.
            tag: its tag.
            platform: only its image for this one.
            credentials: who sends.
            insecure: whether the registry needs no good certificate, nor TLS, listed as such or not.
            done: called for each image that is there.

        Raises:
            InvalidArgument: the name is malformed, or a digest.
            NotFound: there is no such image.
            WharfError: what the registry says.
        """
        reference = _asked(name, tag)
        if reference.digest:
            raise InvalidArgument("cannot push a digest reference")
        wanted = [reference] if reference.tag else self._store.catalog.tags_of(reference)
        progress = Progress()
        only = parse_platform(platform) if platform else None
        push = Push(self._store.catalog, self._store.content, self._transport, credentials, insecure=insecure)
        work = self._push(push, reference, wanted, progress, done, platform=only)
        async with aclosing(progress.follow(work)) as documents:
            async for document in documents:
                yield document

    async def _push(
        self,
        push: Push,
        repository: Reference,
        wanted: list[Reference],
        progress: Progress,
        done: Callable[[Pulled], None],
        *,
        platform: Platform | None,
    ) -> None:
        progress.tell({"status": f"The push refers to repository [{repository.repository}]"})
        for reference in wanted:
            push.require(reference)
        for reference in wanted:
            digest = await push.run(reference, progress, platform)
            record = self._store.catalog.resolve(str(reference), platform)
            await self._store.blocking.run(partial(self._know, reference, digest, record.id))
            done(Pulled(reference, record.id))

    def _know(self, reference: Reference, digest: Digest, image_id: Digest) -> None:
        """Remember that the registry has an image, and under which digest."""
        self._store.catalog.origins.at_registry(image_id, reference.repository, self._store.now())
        with self._store.catalog.lock:
            named = self._store.catalog.named_target(reference)
            if named is not None and digest in (named.target, named.manifest_digest):
                own = reference.with_digest(digest)
                like = reference if digest == named.target else None
                self._store.catalog.name(named.image_id, own, self._store.now(), like)

    async def search(
        self, term: str, *, limit: int | None, filters: Filters, credentials: Credentials
    ) -> list[SearchResult]:
        """Return the repositories that a registry finds (see :func:`wharf.images.registry.search.search`)."""
        return await search(self._transport, term, limit=limit, filters=filters, credentials=credentials)

    async def distribution(self, name: str, *, credentials: Credentials) -> DistributionInspect:
        """Return what a registry has under a name: its descriptor, and for which platforms it is.

        Raises:
            NotFound: it has no such image.
        """
        reference = parse_reference(name).with_default_tag()
        sources = Sources(self._transport, credentials)
        return await sources.first(reference, lambda repository: _inspect(repository, reference))

    def artifact(self, reference: Reference, credentials: Credentials, *, insecure: bool = False) -> Artifact:
        """Return what a registry has, or will have, under a name; ``insecure``: as :meth:`push`."""
        host = origin(reference.domain, self.options, insecure=insecure)
        connection = self._transport.connect(host, credentials)
        repository = Repository(connection, reference.path, self._transport.waiting)
        return Artifact(repository, Uploads(repository, self._transport.waiting), reference)

    def mirrors(self, domain: str) -> list[str]:
        """Return the names of a domain's mirrors, and last of the registry itself."""
        return [host.name for host in hosts_of(domain, self.options)]

    async def authenticate(self, credentials: Credentials) -> str:
        """Check credentials with their registry (docker login); return its identity token, empty when it gives none.

        Raises:
            InvalidArgument: ``server`` is no address.
            Unauthorized: it does not accept them.
            Unavailable: it cannot be reached.
        """
        server = credentials.server.removeprefix("https://").removeprefix("http://").partition("/")[0]
        if not _SERVER.fullmatch(server):
            raise InvalidArgument(f'unable to parse server address: "{credentials.server}" names no host')
        domain = DEFAULT_DOMAIN if server in ("", HUB_HOST) else server
        host = origin(domain, self.options)
        connection = self._transport.connect(host, credentials, lasting=True)
        try:
            async with connection.request("GET", "/v2/", what=f"login attempt to {domain}"):
                return connection.identity_token
        except Unauthorized as error:
            address = host.base(self._transport.schemes(host)[0])
            raise Unauthorized(
                f"login attempt to {address}/v2/ failed with status: 401 Unauthorized: {error}"
            ) from error


async def _inspect(repository: Repository, reference: Reference) -> DistributionInspect:
    manifest = await repository.manifest(reference.digest or reference.tag or "")
    platforms: list[PlatformDocument]
    if is_index(manifest.raw, manifest.media_type):
        index = parse_index(manifest.raw)
        platforms = [one["platform"] for one in images_in(index) if one.get("platform")]
        media_type = index.get("mediaType", manifest.media_type)
    else:
        document = parse_manifest(manifest.raw)
        config = document["config"]
        raw = await repository.small_blob(Digest(config["digest"]), config.get("size", 0))
        platform = platform_of_config(parse_config(raw))
        platforms = [{"architecture": platform.architecture, "os": platform.os}]
        if platform.variant:
            platforms[0]["variant"] = platform.variant
        media_type = document.get("mediaType", manifest.media_type)
    descriptor: DistributionInspect = {
        "Descriptor": {"mediaType": media_type, "digest": manifest.digest, "size": len(manifest.raw)},
        "Platforms": platforms,
    }
    return descriptor


def _asked(name: str, tag: str | None) -> Reference:
    """Return the reference that a name and a tag, or a digest in its place, make."""
    reference = parse_reference(name)
    if not tag:
        return reference
    if ":" in tag:
        return parse_reference(f"{reference.repository}@{tag}")
    return reference.with_tag(tag)
