"""One Solve on its way: its client's session, what it has told, and the results that its client may name."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final, Protocol, Self

from wharf.build import context as contexts
from wharf.build.caches.config import Kept
from wharf.build.caches.importing import Imports
from wharf.build.graph.vertex import Edge
from wharf.build.operations.mounting import entered
from wharf.build.operations.results import Result, Tree
from wharf.build.session.credentials import credentials
from wharf.build.session.offers import SessionOffers
from wharf.build.session.sessions import Session, Sessions
from wharf.build.solver.progress import Progress
from wharf.build.solver.solver import Workshop
from wharf.build.source_policy import Policy
from wharf.engine.buildkit.attests import Attests
from wharf.engine.buildkit.cache_options import CacheFrom
from wharf.engine.buildkit.folders import ClientFolders
from wharf.engine.buildkit.journal import Journal
from wharf.engine.buildkit.transfers import Transfers
from wharf.engine.buildkit.workbench import Workbench
from wharf.engine.buildkit.wreckage import Wreckage
from wharf.engine.builds.pulling import Pulling
from wharf.engine.builds.sources import Given, Sources
from wharf.errors import Conflict, InvalidArgument, NotFound, NotImplementedHere
from wharf.images.platform import Platform
from wharf.images.registry.credentials import ANONYMOUS, Credentials
from wharf.lib.finishing import to_the_end
from wharf.spec.buildkit.ops_pb2 import Definition
from wharf.spec.engine_api.container import HostConfig

_PATIENCE_S: Final = 20.0
"""How long those who ask about a job wait for it: its client asks at once, on streams of one connection."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a result is made of, and what was asked for."""

    target: Edge | None
    sources: Sources
    frontend: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    filename: str = ""
    text: bytes = b""  # the Dockerfile
    remote: str = ""  # the address of the main context


class Ref(Protocol):
    """A result that may not be there yet."""

    @property
    def platform(self) -> Platform:
        """What it was made for."""

    async def solve(self) -> Result:
        """Do what is needed for it, once.

        Raises:
            StepFailed: a step could not be done.
        """

    async def kept(self) -> list[Kept]:
        """Return what is kept of all that it needs, once it is solved."""

    @property
    def origin(self) -> Origin:
        """What it is made of."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a build comes to: a result, or one a platform, and what is said of them."""

    refs: Mapping[str, Ref | None]  # by platform; "" when it was not asked for several
    metadata: Mapping[str, bytes] = field(default_factory=dict)


RunImage = Callable[[str, Mapping[str, str], Mapping[str, Definition]], Awaitable[Outcome]]
"""Runs an image as the job's frontend: its name, options, and what it is to work on."""


FindResult = Callable[[str], Awaitable[Ref]]
"""Finds a result of a job that is under way, by what stands behind the scheme of its source."""


async def _no_results(where: str) -> Ref:
    raise NotFound(f"no such result: {where}")


async def _no_images(image: str, attributes: Mapping[str, str], inputs: Mapping[str, Definition]) -> Outcome:
    del attributes, inputs
    raise NotImplementedHere(f"the frontend {image} cannot be run by this job")


async def _nobodys(domain: str) -> Credentials:
    del domain
    return ANONYMOUS


class Job:
    """Used with ``async with``: leaving it gives up what is under way, and lets go of what was held."""

    def __init__(self, ref: str, session_id: str, sessions: Sessions, bench: Workbench) -> None:
        self.ref = ref
        self.bench = bench
        self.journal = Journal()
        self.progress = Progress(self.journal.take)
        self.stack = AsyncExitStack()
        self.returned: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.refs: dict[str, Ref] = {}
        self.trees: dict[str, Tree] = {}  # what steps that failed had, and have left, by names that the client has
        self.wreckage: Wreckage | None = None  # without it steps that fail leave nothing
        self.asked: tuple[str, dict[str, str]] = ("", {})  # the frontend that did it, and its options
        self.offers = SessionOffers(self.session)
        self.imports = Imports(bench.context.images.layers.receive)
        self.looked_into: set[CacheFrom] = set()  # caches whose results are among the imports
        self.attests = Attests()
        self.policies: list[Policy] = []
        self.grants: frozenset[str] = frozenset()  # what its client lets commands do
        self.began = bench.context.clock.now()
        self.epoch_s: int | None = None  # SOURCE_DATE_EPOCH, for results that no Dockerfile says it of
        self.ended = ""  # when its results were there
        self.run_image: RunImage = _no_images
        self.find_result: FindResult = _no_results
        self.inline_cache = False  # whether images are to say how they were made
        self.sent: AsyncIterator[bytes] | None = None  # the archive of its context, where that came with the request
        self._session_id = session_id
        self._sessions = sessions
        self._work: Path | None = None
        self._folders: ClientFolders | None = None

    async def __aenter__(self) -> Self:
        try:
            self._work = await entered(self.stack, contexts.workplace(self.bench.context.data))
        except BaseException:
            await to_the_end(asyncio.create_task(self.stack.aclose()))
            raise
        self._folders = ClientFolders(self.session, self._work, self.bench.kept, self.bench.digests, self.progress)
        self.stack.push_async_callback(self._folders.aclose)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.returned.cancel()
        try:
            await to_the_end(asyncio.create_task(self.stack.aclose()))
        finally:
            self.journal.close()

    @property
    def session_id(self) -> str:
        """The name of the client's session; "" for none."""
        return self._session_id

    @property
    def folders(self) -> ClientFolders:
        """The client's folders."""
        assert self._folders is not None
        return self._folders

    @property
    def work(self) -> Path:
        """The job's own folder."""
        assert self._work is not None
        return self._work

    async def session(self) -> Session:
        """Return the client's session.

        Raises:
            NotFound: it has none, or it does not come.
        """
        if not self._session_id:
            raise NotFound("the build has no session")
        return await self._sessions.get(self._session_id)

    def pulling(self) -> Pulling:
        """Return what brings images from registries: as the client's user there, or nobody's without a session."""
        user = partial(credentials, self.session) if self._session_id else _nobodys
        return Pulling(self.bench.context, user, Transfers(self.progress).tell)

    def sources(self, given: Mapping[str, Given] | None = None) -> Sources:
        """Return where bytes come from: as the client's user, and as policies say."""
        return Sources(
            self.bench.context, self.work, self.folders, self.pulling(), given, policies=tuple(self.policies)
        )

    def workshop(self, limits: HostConfig) -> Workshop:
        """Return what this job's solvers share; ``limits`` are those of every command."""
        shop = self.bench.workshop(limits)
        return replace(shop, wrecked=self.wreckage.take) if self.wreckage else shop

    def keep_wrecks(self) -> None:
        """Let what failed steps leave stay until the job's end: its client is there to ask for it."""
        self.wreckage = Wreckage(self.bench.context.images.hold_layers, self.stack)

    def keep_tree(self, tree: Tree) -> str:
        """Give files a name that the client can use."""
        name = secrets.token_hex(12)
        self.trees[name] = tree
        return name

    async def tree(self, name: str) -> Tree:
        """Return files by their name, or the result of that name, done now if need be.

        Raises:
            InvalidArgument: there is nothing of this name.
            CallFailed: a step could not be done.
        """
        return self.trees[name] if name in self.trees else await self.named(name).solve()

    def keep(self, ref: Ref) -> str:
        """Give a result a name that the client can use."""
        name = secrets.token_hex(12)
        self.refs[name] = ref
        return name

    def named(self, name: str) -> Ref:
        """Return a result by its name.

        Raises:
            InvalidArgument: there is none of this name.
        """
        if name not in self.refs:
            raise InvalidArgument(f"no such ref: {name}")
        return self.refs[name]


class Jobs:
    """Those of one engine that are under way."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._changed = asyncio.Condition()

    async def add(self, job: Job) -> None:
        """Let others find a job.

        Raises:
            Conflict: there is one of its name.
        """
        if job.ref in self._jobs:
            raise Conflict(f"job ID {job.ref} exists")
        self._jobs[job.ref] = job
        async with self._changed:
            self._changed.notify_all()

    def drop(self, job: Job) -> bool:
        """Forget a job; return whether it was there."""
        known = self._jobs.get(job.ref) is job
        if known:
            del self._jobs[job.ref]
        return known

    async def get(self, ref: str) -> Job:
        """Return a job, waiting a while for one that is not there yet.

        Raises:
            NotFound: it does not come.
        """
        try:
            async with asyncio.timeout(_PATIENCE_S), self._changed:
                await self._changed.wait_for(lambda: ref in self._jobs)
        except TimeoutError:
            raise NotFound(f"no such job {ref}") from None
        return self._jobs[ref]
