from __future__ import annotations

import asyncio

import pytest

from wharf.engine.buildkit.history import History
from wharf.engine.buildkit.journal import Journal
from wharf.errors import Conflict, NotFound
from wharf.spec.buildkit import control_pb2 as pb


def begun(history: History, ref: str) -> None:
    history.begin(pb.SolveRequest(Ref=ref), Journal(), 5)


def listed(history: History, **asked: object) -> list[tuple[int, str]]:
    async def body() -> list[tuple[int, str]]:
        request = pb.BuildHistoryRequest(**{"EarlyExit": True, **asked})  # type: ignore[arg-type]
        return [(event.type, event.record.Ref) async for event in history.listen(request)]

    return asyncio.run(body())


def test_builds_are_listed_with_what_became_of_them() -> None:
    history = History()
    begun(history, "a")
    begun(history, "b")
    history.describe("a", "dockerfile.v0", {"target": "t"})
    history.end("a", 9, {"k": "v"}, NotFound("nothing"))

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
    assert history.journal("a") is not None


def test_who_listens_hears_what_comes() -> None:
    async def body() -> list[tuple[int, str]]:
        history = History()
        heard: list[tuple[int, str]] = []

        async def listen() -> None:
            async for event in history.listen(pb.BuildHistoryRequest()):
                heard.append((event.type, event.record.Ref))
                if event.type == pb.DELETED:
                    return

        listening = asyncio.ensure_future(listen())
        await asyncio.sleep(0)
        begun(history, "a")
        history.end("a", 9, {}, None)
        history.update(pb.UpdateBuildHistoryRequest(Ref="a", Delete=True))
        await listening
        return heard

    assert asyncio.run(body()) == [(pb.STARTED, "a"), (pb.COMPLETE, "a"), (pb.DELETED, "a")]


def test_the_oldest_are_forgotten_but_not_those_that_are_pinned_or_under_way() -> None:
    history = History()
    begun(history, "running")
    for number in range(60):
        begun(history, f"b{number}")
        history.end(f"b{number}", 9, {}, None)
        if number == 0:
            history.update(pb.UpdateBuildHistoryRequest(Ref="b0", Pinned=True))

    kept = [ref for _, ref in listed(history)]
    assert (len(kept), kept[:3]) == (50, ["running", "b0", "b12"])
    assert history.journal("b1") is None


def test_what_is_unknown_or_under_way_is_not_forgotten() -> None:
    history = History()
    begun(history, "a")
    with pytest.raises(Conflict):
        history.update(pb.UpdateBuildHistoryRequest(Ref="a", Delete=True))
    with pytest.raises(NotFound):
        history.update(pb.UpdateBuildHistoryRequest(Ref="b", Pinned=True))
