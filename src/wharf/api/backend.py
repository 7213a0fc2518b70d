"""What the HTTP front asks of an engine: small protocols, one a noun.

References (``ref``, ``name``) are what the user typed: a name, an id or the unambiguous start of one. Every method
raises the tree of :mod:`wharf.errors`; answers are documents of :mod:`wharf.spec.engine_api` in their newest shape
(:mod:`wharf.api.versions` makes them fit older clients).
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from typing import Protocol

from wharf.api.backend_plugins import Authorization, Document, Filters, Plugins, Strings
from wharf.api.streams import Archive, AttachedStream, LogStream
from wharf.lib.measures import Measures
from wharf.rpc.link import Link
from wharf.spec.engine_api import container, image, network, system, volume
from wharf.spec.engine_api import exec as exec_
from wharf.spec.engine_api.build import BuildPruneResponse, BuildRequest
from wharf.spec.engine_api.checkpoint import Checkpoint, CheckpointCreate

Changes = list[container.FilesystemChange]  # named here: inside the classes below, ``list`` is their own method
History = list[image.ImageHistoryResponseItem]
SearchResults = list[image.SearchResult]
Attestations = list[image.AttestationStatement]
Deletions = list[image.ImageDeleteResponseItem]


class Containers(Protocol):
    """Containers: see the Engine API's section of that name."""

    async def create(
        self, request: container.CreateContainer, *, name: str | None, platform: str | None
    ) -> container.ContainerCreateResponse:
        """Record a new container, not running."""

    async def list(
        self,
        *,
        all: bool,  # noqa: A002  # the API's own word
        limit: int | None,
        size: bool,
        filters: Filters,
    ) -> list[container.ContainerSummary]:
        """Return the containers that match, newest first; ``limit`` implies ``all``."""

    async def inspect(self, ref: str, *, size: bool = False) -> container.ContainerInspectResponse:
        """Return everything about one container."""

    async def start(self, ref: str, *, detach_keys: str | None = None, saved: str = "", saved_dir: str = "") -> None:
        """Start it, or bring back its checkpoint ``saved``; NotModified when it runs already."""

    async def checkpoint(self, ref: str, asked: CheckpointCreate) -> None:
        """Save it."""

    async def checkpoints(self, ref: str, *, folder: str) -> Collection[Checkpoint]:
        """What was saved of it."""

    async def remove_checkpoint(self, ref: str, name: str, *, folder: str) -> None:
        """Forget what was saved."""

    async def stop(self, ref: str, *, signal: str | None, timeout_s: int | None) -> None:
        """Signal it, and kill it after ``timeout_s`` (None: its own, -1: never); NotModified when it does not run."""

    async def restart(self, ref: str, *, signal: str | None, timeout_s: int | None) -> None:
        """Stop it when it runs, then start it."""

    async def kill(self, ref: str, *, signal: str | None) -> None:
        """Send a signal (None: KILL), by name or number."""

    async def pause(self, ref: str) -> None:
        """Freeze its processes."""

    async def unpause(self, ref: str) -> None:
        """Thaw its processes."""

    async def rename(self, ref: str, name: str) -> None:
        """Give it another name."""

    async def remove(self, ref: str, *, force: bool, volumes: bool, link: bool) -> None:
        """Remove it, with its anonymous volumes when ``volumes``."""

    async def update(self, ref: str, doc: container.ContainerUpdateRequest) -> container.ContainerUpdateResponse:
        """Change its limits, its rates in networks or its restart policy."""

    async def prune(self, filters: Filters) -> Document:
        """Remove stopped containers; ``ContainersDeleted``, ``SpaceReclaimed``."""

    async def wait(self, ref: str, *, condition: str) -> Awaitable[container.ContainerWaitResponse]:
        """Validate and register; what is returned ends when the condition holds."""

    async def attach(
        self,
        ref: str,
        *,
        stdin: bool,
        stdout: bool,
        stderr: bool,
        logs: bool,
        stream: bool,
        detach_keys: str | None,
    ) -> AttachedStream:
        """Attach to its init, now or when it starts."""

    async def logs(  # noqa: PLR0913  # the API's own parameters, all of them flags of one read
        self,
        ref: str,
        *,
        stdout: bool,
        stderr: bool,
        follow: bool,
        since: str | None,
        until: str | None,
        timestamps: bool,
        tail: str | None,
        details: bool,
    ) -> LogStream:
        """Read its log; times are Unix seconds with a fraction, RFC 3339 or durations, ``tail`` a count or all."""

    async def resize(self, ref: str, *, rows: int, columns: int) -> None:
        """Tell its terminal a new size."""

    async def top(self, ref: str, *, ps_args: str | None) -> container.ContainerTopResponse:
        """List its processes as ps does (None: ``-ef``)."""

    async def archive(self, ref: str, path: str) -> Archive:
        """Open a path of its file system."""

    async def read_archive(self, ref: str, path: str) -> Archive:
        """Open a path of its file system to read its archive: an event tells."""

    async def extract(
        self, ref: str, path: str, chunks: AsyncIterator[bytes], *, keep_kinds: bool, own: bool
    ) -> None:
        """Unpack an archive into a folder of it."""

    async def export(self, ref: str) -> AsyncIterator[bytes]:
        """Archive its whole root."""

    async def changes(self, ref: str) -> Changes:
        """Return what differs from its image."""

    async def commit(
        self,
        ref: str,
        *,
        repository: str,
        tag: str | None,
        author: str,
        comment: str,
        pause: bool,
        changes: Strings,
        config: container.ContainerConfig | None,
    ) -> str:
        """Make an image of it and return that one's id."""

    async def steps(self, ref: str) -> dict[str, int]:
        """Return the microseconds each step of its last start took (an extension, for benchmarks)."""

    def stats(self, ref: str, *, stream: bool, one_shot: bool) -> AsyncIterator[container.ContainerStatsResponse]:
        """Sample its use of resources: once a second, or one sample unless ``stream``."""


class Execs(Protocol):
    """Processes beside a container's own."""

    async def create(self, ref: str, doc: exec_.ExecConfig, /) -> str:
        """Record an exec and return its id."""

    async def start(
        self, exec_id: str, *, detach: bool, tty: bool, console_size: list[int] | None
    ) -> AttachedStream | None:
        """Run it; None when ``detach``. ``console_size`` is rows, columns."""

    async def inspect(self, exec_id: str) -> Document:
        """Return its state (ExecInspectResponse)."""

    async def resize(self, exec_id: str, *, rows: int, columns: int) -> None:
        """Tell its terminal a new size."""


class Images(Protocol):
    """Images of the local store."""

    async def list(
        self,
        *,
        all: bool,  # noqa: A002  # the API's own word
        filters: Filters,
        shared_size: bool,
        digests: bool,
        manifests: bool,
        identity: bool,
    ) -> list[image.ImageSummary]:
        """Return the images that match, newest first."""

    async def inspect(self, name: str, platform: str | None, *, manifests: bool) -> image.ImageInspect:
        """Return everything about one image."""

    async def attestations(self, name: str, platform: str | None, *, types: Strings, statement: bool) -> Attestations:
        """Return what is attested of it."""

    async def history(self, name: str, platform: str | None) -> History:
        """Return its layers' history, newest first."""

    async def tag(self, name: str, *, repository: str, tag: str | None) -> None:
        """Give it one more reference."""

    async def remove(self, name: str, *, force: bool, noprune: bool, platforms: Strings) -> Deletions:
        """Untag it, and delete what nothing refers to any more."""

    async def prune(self, filters: Filters) -> Document:
        """Remove dangling or unused images; ``ImagesDeleted``, ``SpaceReclaimed``."""

    def load(self, chunks: AsyncIterator[bytes], *, quiet: bool, platforms: Strings) -> AsyncIterator[Document]:
        """Read an archive of ``docker save`` or an OCI layout; yields progress."""

    def save(self, names: Strings, platforms: Strings) -> AsyncIterator[bytes]:
        """Write an archive of the named images."""

    def pull(self, name: str, *, tag: str | None, platform: str | None, auth: str) -> AsyncIterator[Document]:
        """Bring an image from its registry; yields progress. ``auth`` is an X-Registry-Auth header."""

    def push(self, name: str, *, tag: str | None, platform: str | None, auth: str) -> AsyncIterator[Document]:
        """Send an image to its registry; yields progress."""

    async def search(self, term: str, *, limit: int | None, filters: Filters, auth: str) -> SearchResults:
        """Return the repositories that a registry finds."""

    async def distribution(self, name: str, *, auth: str) -> image.DistributionInspect:
        """Return what a registry has under a name."""

    async def authenticate(self, asked: system.AuthConfig) -> system.AuthResponse:
        """Check a user with a registry."""

    def import_(
        self,
        chunks: AsyncIterator[bytes],
        *,
        repository: str | None,
        tag: str | None,
        message: str | None,
        changes: Strings,
        platform: str | None,
        address: str | None,
    ) -> AsyncIterator[Document]:
        """Make an image of one layer from a tar archive, or of one at an address; yields progress."""

    async def squash(
        self, name: str, *, base: str | None, repository: str | None, tag: str | None, comment: str
    ) -> str:
        """Make its layers, or those above another image's, one; return the new image's id."""

    def bootstrap(self, name: str, *, include: Strings, reference: str | None) -> AsyncIterator[Document]:
        """Make a base image without a registry (an extension); yields progress."""


class Networks(Protocol):
    """Networks that containers may join."""

    async def list(self, filters: Filters) -> list[network.NetworkInspect]:
        """Return the networks that match."""

    async def create(self, document: network.NetworkCreateRequest) -> network.NetworkCreateResponse:
        """Make a network."""

    async def inspect(self, ref: str) -> network.NetworkInspect:
        """Return everything about one network."""

    async def remove(self, ref: str) -> None:
        """Remove a network that no running container is in."""

    async def prune(self, filters: Filters) -> Document:
        """Remove unused networks; ``NetworksDeleted``."""

    async def connect(self, ref: str, document: network.NetworkConnectRequest) -> None:
        """Join a container to a network, now or when it starts."""

    async def disconnect(self, ref: str, document: network.NetworkDisconnectRequest) -> None:
        """Take a container out of a network."""


class Volumes(Protocol):
    """Named places that outlive containers."""

    async def list(self, filters: Filters) -> volume.VolumeListResponse:
        """Return the volumes that match."""

    async def create(self, doc: volume.VolumeCreateRequest) -> volume.Volume:
        """Make a volume, or return the one of that name."""

    async def inspect(self, name: str) -> volume.Volume:
        """Return everything about one volume."""

    async def remove(self, name: str, *, force: bool) -> None:
        """Remove it with its data; ``force``: no error when it does not exist."""

    async def prune(self, filters: Filters) -> Document:
        """Remove unused volumes; ``VolumesDeleted``, ``SpaceReclaimed``."""


class System(Protocol):
    """The engine itself."""

    @property
    def experimental(self) -> bool:
        """Whether clients shall show experimental commands."""

    async def version(self) -> system.SystemVersion:
        """Return what this build is."""

    async def info(self) -> Document:
        """Return what this engine has and can (SystemInfo)."""

    async def measures(self) -> Measures:
        """Return what this engine has counted and timed."""

    def events(self, *, since: str | None, until: str | None, filters: Filters) -> AsyncIterator[system.EventMessage]:
        """Follow what happens, after what happened since; ends at ``until``.

        The call itself raises InvalidArgument for bad arguments: the iterator is read after status 200 is sent.
        """

    def check(self, *, quick: bool, repair: bool) -> AsyncIterator[Document]:
        """Yield what is wrong with what is stored, one finding after another, and last their counts."""

    async def disk_usage(self, kinds: Collection[str]) -> dict[str, system.DiskUsage]:
        """Return what takes room: a DiskUsage for each of the kinds container, image, volume and build-cache."""


class Builds(Protocol):
    """Building images."""

    def build(self, chunks: AsyncIterator[bytes], request: BuildRequest) -> AsyncIterator[Document]:
        """Build an image from a context's archive; yields what Docker's old builder writes."""

    def build_over_session(
        self, request: BuildRequest, session: str, ref: str, chunks: AsyncIterator[bytes] | None
    ) -> AsyncIterator[Document]:
        """Build an image of what a session brings, or a context's archive; yields what BuildKit's clients read."""

    async def serve(self, link: Link) -> None:
        """Answer BuildKit's calls on a connection until it ends."""

    async def hold_session(self, link: Link, session_id: str, *, shared_key: str, methods: Iterable[str]) -> None:
        """Keep the session of a client, which lends what its builds need, until it ends."""

    async def lend_folders(self, session_id: str, connect: Callable[[], Awaitable[socket.socket]]) -> None:
        """Let the client of a session lend its folders by descriptors, on the connection that ``connect`` gives."""

    async def prune(
        self, filters: Filters, *, everything: bool, kept_bytes: int, most_bytes: int, free_bytes: int
    ) -> BuildPruneResponse:
        """Remove results of earlier builds."""


class Backend(Protocol):
    """An engine, as far as HTTP is concerned."""

    @property
    def containers(self) -> Containers:
        """Containers."""

    @property
    def execs(self) -> Execs:
        """Processes beside a container's own."""

    @property
    def images(self) -> Images:
        """Images."""

    @property
    def networks(self) -> Networks:
        """Networks."""

    @property
    def volumes(self) -> Volumes:
        """Volumes."""

    @property
    def system(self) -> System:
        """The engine itself."""

    @property
    def builds(self) -> Builds:
        """Building images."""

    @property
    def plugins(self) -> Plugins:
        """Plugins."""

    @property
    def authorization(self) -> Authorization:
        """Authorization plugins."""
