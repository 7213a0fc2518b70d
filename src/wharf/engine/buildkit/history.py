"""What became of builds, with all that they told: of this engine, and of those before it (``buildx history``)."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from wharf.engine.buildkit.history_filters import record_test
from wharf.engine.buildkit.journal import Journal, stamp
from wharf.engine.buildkit.records import Records
from wharf.engine.buildkit.traces import MEDIA_TYPE as TRACE
from wharf.engine.buildkit.traces import trace_of
from wharf.engine.options import BUILD_RECORDS
from wharf.errors import Conflict, InvalidArgument, NotFound
from wharf.lib.digest import digest_of
from wharf.rpc.status import CallFailed, failed
from wharf.spec.buildkit import control_pb2 as pb

_log = logging.getLogger(__name__)
_STATUS: Final = "application/vnd.googleapis.google.rpc.status+proto"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a build has ended."""

    at_ns: int
    response: dict[str, str] = field(default_factory=dict)
    error: BaseException | None = None
    results: dict[str, pb.BuildResultInfo] = field(default_factory=dict)  # by platform, "" when there is but one
    documents: Sequence[bytes] = ()  # that these refer to


class History:
    """Records of builds, the oldest first. All but what is on the disk is touched on the loop alone."""

    def __init__(
        self,
        records: Records,
        past: Iterable[pb.BuildHistoryRecord],
        now_ns: Callable[[], int],
        limits: Callable[[], tuple[int, int]] = lambda: (BUILD_RECORDS, 0),
    ) -> None:
        """``limits`` tells how many records are kept, and how old the others are, in ns, before they go."""
        self._stored, self._limits = records, limits
        self._now_ns = now_ns
        self._records = OrderedDict((one.Ref, one) for one in past)
        self._journals: dict[str, Journal] = {}  # of builds under way
        self._writing = asyncio.Lock()  # files are written one after another: two changes of one are not at once
        self._listeners: set[asyncio.Queue[pb.BuildHistoryEvent]] = set()

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
        self._records.move_to_end(request.Ref)
        self._journals[request.Ref] = journal
        self._tell(pb.STARTED, record)

    def describe(self, ref: str, frontend: str, attributes: dict[str, str]) -> None:
        """Note what a client's own frontend asked for: that is what people know a build by."""
        record = self._records.get(ref)
        if record is not None and not record.Frontend:
            record.Frontend = frontend
            record.FrontendAttrs.update(attributes)

    async def end(self, ref: str, ending: Ending) -> None:
        """Note how a build has ended, for good; the oldest ones that nobody pinned are forgotten.

        Until its record is written its journal is what tells of it, and it counts as under way.
        """
        begun, journal = self._records[ref], self._journals[ref]
        record = pb.BuildHistoryRecord()
        record.CopyFrom(begun)
        documents = _note_end(record, journal, ending)
        async with self._writing:
            try:
                await asyncio.to_thread(self._stored.save, record, journal.told, documents)
            except OSError:
                _log.exception("the record of the build %s is not kept", ref)  # the build itself is as good as it was
            if self._journals.get(ref) is not journal:  # a new build has its name
                return
            self._records[ref] = record
            del self._journals[ref]
            self._tell(pb.COMPLETE, record)
            for forgotten in self._outdated():
                await self._forget(forgotten)

    def _outdated(self) -> list[str]:
        """Return the builds whose records go: beyond the number that is kept, and old enough."""
        most, age_ns = self._limits()
        ended = [one for one in self._records.values() if one.HasField("CompletedAt") and not one.pinned]
        before_ns = self._now_ns() - age_ns
        beyond = ended[: max(0, len(ended) - most)]
        return [one.Ref for one in beyond if not age_ns or one.CompletedAt.ToNanoseconds() < before_ns]

    async def journal(self, ref: str) -> Journal | None:
        """Return all that a build told; None when it is forgotten."""
        journal = self._journals.get(ref)
        if journal is not None:
            return journal
        return Journal.over(await asyncio.to_thread(self._stored.told, ref)) if ref in self._records else None

    async def update(self, request: pb.UpdateBuildHistoryRequest) -> None:
        """Pin a record, or forget it.

        Raises:
            NotFound: there is none of that build.
            Conflict: it is under way.
        """
        async with self._writing:
            record = self._records.get(request.Ref)
            if record is None:
                raise NotFound(f"no record of the build {request.Ref}")
            if request.Finalize:  # a record is whole as soon as its build has ended
                return
            if not record.HasField("CompletedAt"):
                raise Conflict(f"the build {request.Ref} is under way")
            if request.Delete:
                await self._forget(request.Ref)
                return
            record.pinned = request.Pinned
            await asyncio.to_thread(self._stored.change, record)
            self._tell(pb.COMPLETE, record)

    async def _forget(self, ref: str) -> None:
        record = self._records.pop(ref)
        await asyncio.to_thread(self._stored.remove, ref)
        self._tell(pb.DELETED, record)

    async def listen(self, request: pb.BuildHistoryRequest) -> AsyncIterator[pb.BuildHistoryEvent]:
        """Yield what there is, and what becomes of it, unless the client wants to know no more than that.

        Raises:
            InvalidArgument: a filter, or the limit, is malformed.
            NotImplementedHere: a filter is not supported.
        """
        if request.Limit < 0:
            raise InvalidArgument(f"invalid limit {request.Limit}")
        test = record_test(request.Filter, self._now_ns())
        events: asyncio.Queue[pb.BuildHistoryEvent] = asyncio.Queue()
        self._listeners.add(events)
        try:
            for record in self._asked(request, test):
                done = record.HasField("CompletedAt")
                yield pb.BuildHistoryEvent(type=pb.COMPLETE if done else pb.STARTED, record=record)
            while not request.EarlyExit:
                event = await events.get()
                if _wanted(event.record, request) and test(event.record):
                    yield event
        finally:
            self._listeners.discard(events)

    def _asked(
        self, request: pb.BuildHistoryRequest, test: Callable[[pb.BuildHistoryRecord], bool]
    ) -> list[pb.BuildHistoryRecord]:
        found = [
            one
            for one in self._records.values()
            if _wanted(one, request) and test(one) and not (request.ActiveOnly and one.HasField("CompletedAt"))
        ]
        if not request.Limit:
            return found
        return sorted(found, key=lambda one: one.CreatedAt.ToNanoseconds(), reverse=True)[: request.Limit]

    def _tell(self, kind: pb.BuildHistoryEventType, record: pb.BuildHistoryRecord) -> None:
        event = pb.BuildHistoryEvent(type=kind, record=record)  # a copy: what is told stays as it was
        for listener in self._listeners:
            listener.put_nowait(event)


def _note_end(record: pb.BuildHistoryRecord, journal: Journal, ending: Ending) -> list[bytes]:
    """Fill a record in; return the documents that it refers to."""
    record.CompletedAt.CopyFrom(stamp(ending.at_ns))
    record.ExporterResponse.update(ending.response)
    for platform, info in ending.results.items():
        (record.Results[platform] if platform else record.Result).CopyFrom(info)
    documents = list(ending.documents)
    if ending.error is not None:
        _note_error(record, failed(ending.error), documents)
    record.numTotalSteps, record.numCompletedSteps, record.numCachedSteps = journal.counts()
    record.numWarnings = sum(len(one.warnings) for one in journal.told)
    trace = trace_of(record, journal.vertices)
    documents.append(trace)
    record.trace.CopyFrom(_descriptor(TRACE, trace))
    return documents


def _note_error(record: pb.BuildHistoryRecord, error: CallFailed, documents: list[bytes]) -> None:
    record.error.code, record.error.message = error.code, str(error)
    if error.details:
        documents.append(error.details)
        record.externalError.CopyFrom(_descriptor(_STATUS, error.details))


def _descriptor(media_type: str, data: bytes) -> pb.Descriptor:
    return pb.Descriptor(media_type=media_type, digest=digest_of(data), size=len(data))


def _wanted(record: pb.BuildHistoryRecord, request: pb.BuildHistoryRequest) -> bool:
    return not request.Ref or record.Ref == request.Ref
