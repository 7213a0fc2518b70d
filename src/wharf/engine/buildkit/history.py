"""What became of builds: the latest ones, with all that they told, until the engine ends (``buildx history``)."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Final

from wharf.engine.buildkit.journal import Journal, stamp
from wharf.errors import Conflict, NotFound
from wharf.rpc.status import failed
from wharf.spec.buildkit import control_pb2 as pb

_MOST: Final = 50


class History:
    """Records of one engine's builds, the oldest first."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, pb.BuildHistoryRecord] = OrderedDict()
        self._journals: dict[str, Journal] = {}
        self._events: list[pb.BuildHistoryEvent] = []
        self._changed = asyncio.Event()

    def begin(self, request: pb.SolveRequest, journal: Journal, now_ns: int) -> None:
        """Note that a build has begun."""
        record = pb.BuildHistoryRecord(
            Ref=request.Ref,
            Frontend=request.Frontend,
            FrontendAttrs=request.FrontendAttrs,
            Exporters=request.Exporters,
            CreatedAt=stamp(now_ns),
        )
        self._records[request.Ref] = record
        self._journals[request.Ref] = journal
        self._tell(pb.STARTED, record)

    def describe(self, ref: str, frontend: str, attributes: dict[str, str]) -> None:
        """Note what a client's own frontend asked for: that is what people know a build by."""
        record = self._records.get(ref)
        if record is not None and not record.Frontend:
            record.Frontend = frontend
            record.FrontendAttrs.update(attributes)

    def end(self, ref: str, now_ns: int, response: dict[str, str], error: BaseException | None) -> None:
        """Note how a build has ended; the oldest ones that nobody pinned are forgotten."""
        record, journal = self._records[ref], self._journals[ref]
        record.CompletedAt.CopyFrom(stamp(now_ns))
        record.ExporterResponse.update(response)
        if error is not None:
            told = failed(error)
            record.error.code, record.error.message = told.code, str(told) or "context canceled"
        record.numTotalSteps, record.numCompletedSteps, record.numCachedSteps = journal.counts()
        self._tell(pb.COMPLETE, record)
        old = [one.Ref for one in self._records.values() if one.HasField("CompletedAt") and not one.pinned]
        for forgotten in old[: max(0, len(self._records) - _MOST)]:
            self._forget(forgotten)

    def journal(self, ref: str) -> Journal | None:
        """Return all that a build told; None when it is forgotten."""
        return self._journals.get(ref)

    def update(self, request: pb.UpdateBuildHistoryRequest) -> None:
        """Pin a record, or forget it.

        Raises:
            NotFound: there is none of that build.
            Conflict: it is under way.
        """
        record = self._records.get(request.Ref)
        if record is None:
            raise NotFound(f"no record of the build {request.Ref}")
        if request.Delete:
            if not record.HasField("CompletedAt"):
                raise Conflict(f"the build {request.Ref} is under way")
            self._forget(request.Ref)
        elif not request.Finalize:
            record.pinned = request.Pinned
            self._tell(pb.COMPLETE, record)

    def _forget(self, ref: str) -> None:
        record = self._records.pop(ref)
        del self._journals[ref]
        self._tell(pb.DELETED, record)

    async def listen(self, request: pb.BuildHistoryRequest) -> AsyncIterator[pb.BuildHistoryEvent]:
        """Yield what there is, and what becomes of it, unless the client wants to know no more than that."""
        at = len(self._events)
        for record in list(self._records.values()):
            done = record.HasField("CompletedAt")
            if _wanted(record, request) and not (done and request.ActiveOnly):
                yield pb.BuildHistoryEvent(type=pb.COMPLETE if done else pb.STARTED, record=record)
        while not request.EarlyExit:
            while at < len(self._events):
                at += 1
                event = self._events[at - 1]
                if _wanted(event.record, request):
                    yield event
            await self._changed.wait()

    def _tell(self, kind: pb.BuildHistoryEventType, record: pb.BuildHistoryRecord) -> None:
        self._events.append(pb.BuildHistoryEvent(type=kind, record=record))
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _wanted(record: pb.BuildHistoryRecord, request: pb.BuildHistoryRequest) -> bool:
    return not request.Ref or record.Ref == request.Ref
