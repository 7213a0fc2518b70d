from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from wharf.engine.buildkit.history import Ending, History
from wharf.engine.buildkit.journal import Journal
from wharf.engine.buildkit.records import Records
from wharf.errors import Conflict, InvalidArgument, NotFound
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import control_pb2 as pb


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "records"


@pytest.fixture
def history(folder: Path) -> History:
    return opened(folder)


def opened(folder: Path) -> History:
    records = Records(folder)
    return History(records, records.load(), lambda: 10)


def begun(history: History, ref: str, at_ns: int = 5) -> Journal:
    journal = Journal()
    history.begin(pb.SolveRequest(Ref=ref), journal, at_ns)
    return journal


def ended(history: History, ref: str, ending: Ending) -> None:
    asyncio.run(history.end(ref, ending))


def updated(history: History, ref: str, **asked: bool) -> None:
    asyncio.run(history.update(pb.UpdateBuildHistoryRequest(Ref=ref, **asked)))


def listed(history: History, **asked: object) -> list[tuple[int, str]]:
    async def body() -> list[tuple[int, str]]:
        request = pb.BuildHistoryRequest(**{"EarlyExit": True, **asked})  # type: ignore[arg-type]
        return [(event.type, event.record.Ref) async for event in history.listen(request)]

    return asyncio.run(body())


def test_builds_are_listed_with_what_became_of_them(history: History) -> None:
    begun(history, "a")
    begun(history, "b")
    history.describe("a", "dockerfile.v0", {"target": "t"})
    ended(history, "a", Ending(9, {"k": "v"}, NotFound("nothing")))

    assert listed(history) == [(pb.COMPLETE, "a"), (pb.STARTED, "b")]
    assert listed(history, ActiveOnly=True) == [(pb.STARTED, "b")]
    assert listed(history, Ref="a") == [(pb.COMPLETE, "a")]
    assert listed(history, Ref="other") == []
    record = history._records["a"]
    assert (record.error.message, record.FrontendAttrs["target"], record.ExporterResponse["k"]) == (
        "nothing",
        "t",
        "v",
    )
    assert asyncio.run(history.journal("a")) is not None


def test_filters_and_a_limit_leave_the_newest_that_are_asked_for(history: History) -> None:
    for number in range(4):
        begun(history, f"b{number}", number)
        ended(history, f"b{number}", Ending(9, error=NotFound("x") if number == 3 else None))

    assert listed(history, Filter=["status==completed"], Limit=2) == [(pb.COMPLETE, "b2"), (pb.COMPLETE, "b1")]
    assert listed(history, Filter=["status==error", "ref==b0"]) == [(pb.COMPLETE, "b0"), (pb.COMPLETE, "b3")]
    with pytest.raises(InvalidArgument, match="invalid limit -1"):
        listed(history, Limit=-1)
    with pytest.raises(InvalidArgument, match="invalid filter colour==red"):
        listed(history, Filter=["colour==red"])


def test_who_listens_hears_what_comes(folder: Path) -> None:
    async def body() -> list[tuple[int, str]]:
        history = opened(folder)
        heard: list[tuple[int, str]] = []

        async def listen() -> None:
            async for event in history.listen(pb.BuildHistoryRequest()):
                heard.append((event.type, event.record.Ref))
                if event.type == pb.DELETED:
                    return

        listening = asyncio.ensure_future(listen())
        await asyncio.sleep(0)
        begun(history, "a")
        await history.end("a", Ending(9))
        await history.update(pb.UpdateBuildHistoryRequest(Ref="a", Delete=True))
        await listening
        await asyncio.sleep(0)
        return heard

    assert asyncio.run(body()) == [(pb.STARTED, "a"), (pb.COMPLETE, "a"), (pb.DELETED, "a")]


def test_another_engine_finds_records_with_all_that_was_told(history: History, folder: Path) -> None:
    journal = begun(history, "a")
    journal.warn(pb.VertexWarning(short=b"careful"))
    failure = CallFailed(2, "exit code: 3", b"details")
    ended(history, "a", Ending(9, error=failure))
    updated(history, "a", Pinned=True)
    begun(history, "lost with its engine")
    again = opened(folder)

    assert listed(again) == [(pb.COMPLETE, "a")]
    record = again._records["a"]
    assert (record.pinned, record.error.message, record.numWarnings) == (True, "exit code: 3", 1)
    assert record.externalError.size == len(b"details")
    assert record.trace.media_type == "application/vnd.buildkit.otlp.json.v0"
    found = asyncio.run(again.journal("a"))
    assert found is not None
    assert found.told[0].warnings[0].short == b"careful"

    async def read() -> int:
        return len([one async for one in found.read()])

    assert asyncio.run(read()) == 1
    updated(again, "a", Delete=True)
    assert list(folder.iterdir()) == []


def test_the_oldest_are_forgotten_but_not_those_that_are_pinned_or_under_way(history: History, folder: Path) -> None:
    begun(history, "running")
    for number in range(60):
        begun(history, f"b{number}")
        ended(history, f"b{number}", Ending(9))
        if number == 0:
            updated(history, "b0", Pinned=True)

    kept = [ref for _, ref in listed(history)]
    assert (len(kept), kept[:3]) == (52, ["running", "b0", "b10"])  # fifty, and those two
    assert asyncio.run(history.journal("b1")) is None
    assert len(list(folder.iterdir())) == 51


def test_what_is_unknown_or_under_way_is_not_forgotten(history: History) -> None:
    begun(history, "a")
    with pytest.raises(Conflict):
        updated(history, "a", Delete=True)
    with pytest.raises(NotFound):
        updated(history, "b", Pinned=True)


def test_a_disk_without_room_costs_the_record_alone(history: History, folder: Path) -> None:
    begun(history, "a")
    folder.rmdir()
    ended(history, "a", Ending(9))

    assert listed(history) == [(pb.COMPLETE, "a")]


def test_fifty_pinned_records_leave_room_for_the_next_ones(history: History) -> None:
    for number in range(51):
        begun(history, f"b{number}")
        ended(history, f"b{number}", Ending(9))
        if number < 50:
            updated(history, f"b{number}", Pinned=True)

    assert (pb.COMPLETE, "b50") in listed(history)


def test_a_build_is_told_of_in_full_while_its_record_is_written(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body() -> None:
        begin, written = threading.Event(), threading.Event()
        save = Records.save

        def slow(*given: Any) -> None:
            begin.set()
            assert written.wait(10)
            save(*given)

        monkeypatch.setattr(Records, "save", slow)
        journal = begun(history, "a")
        journal.warn(pb.VertexWarning(short=b"careful"))
        ending = asyncio.ensure_future(history.end("a", Ending(9)))
        await asyncio.to_thread(begin.wait, 10)
        assert await history.journal("a") is journal
        written.set()
        await ending
        found = await history.journal("a")
        assert found is not None
        assert found.told == journal.told

    asyncio.run(body())


def test_a_build_of_the_same_name_stays_under_way_when_the_one_before_it_is_written(
    history: History,
) -> None:
    async def body() -> None:
        begun(history, "a")
        ending = asyncio.ensure_future(history.end("a", Ending(9)))
        await asyncio.sleep(0)
        second = begun(history, "a")
        await ending
        assert await history.journal("a") is second

    asyncio.run(body())
    assert listed(history) == [(pb.STARTED, "a")]


def test_only_records_beyond_the_number_and_older_than_said_are_forgotten(folder: Path) -> None:
    limits, now = [2, 0], [10]
    records = Records(folder)
    history = History(records, records.load(), lambda: now[0], lambda: (limits[0], limits[1]))
    limits[1] = 100
    for number in range(4):
        begun(history, f"b{number}")
        ended(history, f"b{number}", Ending(number * 10, {}, None))
    assert len(listed(history)) == 4  # they are beyond the number, and too young to go
    now[0] = 115
    begun(history, "b4")
    ended(history, "b4", Ending(115, {}, None))
    assert [ref for _, ref in listed(history)] == ["b2", "b3", "b4"]
    limits[:] = [1, 0]
    begun(history, "b5")
    ended(history, "b5", Ending(115, {}, None))
    assert [ref for _, ref in listed(history)] == ["b5"]
