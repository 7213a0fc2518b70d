from __future__ import annotations

import asyncio

from tests.fakes.builds import converted

from wharf.build.graph.vertex import Edge, walk
from wharf.build.solver.progress import Began, Ended, Moved, Wrote
from wharf.engine.buildkit.journal import Journal, lines_of, stamp
from wharf.spec.buildkit import control_pb2 as pb


def _target() -> Edge:
    target = converted("FROM base\nRUN one\nRUN two\n").target
    assert target is not None
    return target


def _told(journal: Journal) -> list[pb.StatusResponse]:
    journal.close()

    async def body() -> list[pb.StatusResponse]:
        return [response async for response in journal.read()]

    return asyncio.run(body())


def test_a_step_is_told_from_its_beginning_to_its_end() -> None:
    journal, vertex = Journal(), _target().vertex
    journal.take(Began(vertex, 1_000_000_001))
    journal.take(Wrote(vertex, 2_000_000_000, 2, b"oops\n"))
    journal.take(Ended(vertex, 3_000_000_000, error="failed"))

    began, wrote, ended = _told(journal)
    (first,), (log,), (last,) = began.vertexes, wrote.logs, ended.vertexes
    assert (first.digest, first.name, first.started) == (vertex.digest, "[3/3] RUN two", stamp(1_000_000_001))
    assert list(first.inputs) == [edge.vertex.digest for edge in vertex.inputs]
    assert (log.vertex, log.stream, log.msg) == (vertex.digest, 2, b"oops\n")
    assert (last.completed, last.error, last.cached) == (stamp(3_000_000_000), "failed", False)
    assert not first.HasField("completed")


def test_what_lies_below_a_known_step_is_known_too_and_comes_first() -> None:
    journal, target = Journal(), _target()
    journal.announce(target)
    journal.take(Ended(target.vertex, 5, cached=True))

    announced, *ends = _told(journal)
    order = [vertex.digest for vertex in walk(target)]
    assert [vertex.digest for vertex in announced.vertexes] == order
    assert [(one.vertexes[0].digest, one.vertexes[0].cached) for one in ends] == [(digest, True) for digest in order]
    assert journal.counts() == (3, 3, 3)


def test_a_transfer_is_told_of_with_its_bytes() -> None:
    journal, vertex = Journal(), _target().vertex
    journal.take(Moved(vertex, 7, "transferring context:", 42, 0, 6, done=True))

    (status,) = _told(journal)[0].statuses
    assert (status.ID, status.vertex, status.current) == ("transferring context:", vertex.digest, 42)
    assert (status.started, status.completed) == (stamp(6), stamp(7))


def test_logs_without_end_are_cut() -> None:
    journal, vertex = Journal(), _target().vertex
    for _ in range(5):
        journal.take(Wrote(vertex, 1, 1, b"x" * (1 << 20)))

    logs = [response.logs[0].msg for response in _told(journal)]
    assert (len(logs), logs[-1]) == (3, b"\n[output clipped, log limit 2MiB reached]\n")


def test_who_reads_while_it_goes_on_gets_the_same_as_who_comes_late() -> None:
    async def body() -> tuple[list[str], list[str]]:
        journal, vertices = Journal(), list(walk(_target()))

        async def read() -> list[str]:
            return [one.vertexes[0].digest async for one in journal.read()]

        early = asyncio.ensure_future(read())
        for vertex in vertices:
            journal.take(Began(vertex, 1))
            await asyncio.sleep(0)
        journal.close()
        return await early, await read()

    early, late = asyncio.run(body())
    assert early == late
    assert len(late) == 3


def test_lines_are_places_and_unknown_ones_none() -> None:
    assert [one.start.line for one in lines_of((3, 5))] == [3, 4, 5]
    assert lines_of((0, 0)) == []
