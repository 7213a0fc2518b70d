"""BuildKit's API of one engine: connections in, calls answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from wharf.build.operations.selection import Digests
from wharf.build.operations.store import Store
from wharf.build.session.kept import KeptContexts
from wharf.build.session.sessions import Greeting, Sessions
from wharf.build.solver.cache import Cache
from wharf.engine.buildkit import legacy
from wharf.engine.buildkit.content import Content
from wharf.engine.buildkit.control import Control
from wharf.engine.buildkit.gateway import Gateway
from wharf.engine.buildkit.history import History
from wharf.engine.buildkit.job import Jobs
from wharf.engine.buildkit.records import Records
from wharf.engine.buildkit.workbench import Workbench
from wharf.engine.context import Context
from wharf.rpc.call import Call
from wharf.rpc.link import Link
from wharf.rpc.server import serve
from wharf.spec.engine_api.build import BuildRequest

_HEALTH: Final = "/grpc.health.v1.Health/Check"
_SERVING: Final = b"\x08\x01"  # HealthCheckResponse with the status SERVING (gRPC, health/v1/health.proto)


async def _healthy(call: Call) -> None:
    """Say that this engine serves: what does not would not answer."""
    await call.receive()
    await call.send(_SERVING)


class BuildKit:
    """What the connections of one engine share."""

    def __init__(self, context: Context, cache: Cache, records: Records, history: History) -> None:
        store = Store(context.snapshots, context.database)
        self.bench = Workbench(context, store, cache, Digests(), KeptContexts(context.data))
        self.sessions = Sessions()
        self._jobs = Jobs()
        self._control = Control(self.bench, self.sessions, self._jobs, history)
        self._methods = {
            **self._control.methods(),
            **Gateway(self._jobs).methods(),
            **Content(context, records).methods(),
            _HEALTH: _healthy,
        }

    @classmethod
    async def opened(cls, context: Context, cache: Cache) -> BuildKit:
        """Return it, with the records of builds that were."""
        records = Records(context.data.build_records)
        past = await asyncio.to_thread(records.load)

        def limits() -> tuple[int, int]:
            return context.options.build_records, context.options.build_records_ns

        return cls(context, cache, records, History(records, past, context.clock.now_ns, limits))

    async def serve(self, link: Link) -> None:
        """Answer a client's calls until it goes; what it has under way ends then."""
        await serve(link, self._methods)

    def build(
        self, request: BuildRequest, session: str, ref: str, chunks: AsyncIterator[bytes] | None
    ) -> AsyncGenerator[legacy.Document, None]:
        """Build as clients without buildx ask; yields what ``POST /build?version=2`` writes."""
        return legacy.build(self._control, self._jobs, legacy.solve_request(request, session, ref), chunks)

    async def hold(self, link: Link, greeting: Greeting) -> None:
        """Keep a client's session until it goes.

        Raises:
            InvalidArgument: it has no id.
            Conflict: there is one of this id.
        """
        await self.sessions.hold(link, greeting)
