from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.engine.plugins.test_record import _CONFIG, _record

from wharf.engine.plugins import folder, transfer
from wharf.engine.plugins.plugins import PluginVerbs
from wharf.engine.plugins.record import PluginRecords
from wharf.lib.digest import digest_of
from wharf.storage.layout import DataRoot, RunRoot
from wharf.storage.metadata import Database


class _Broken:
    """Processes that cannot be looked at."""

    async def adopt(self, *_: object) -> None:
        raise NotADirectoryError(20, "Not a directory")


class _Artifact:
    """What a registry has: a plugin of one layer."""

    name = "host:5000/a:1"

    async def read(self, _: object) -> AsyncIterator[bytes]:
        yield b"layer"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Any]:
    database, data = Database(tmp_path / "db"), DataRoot(tmp_path / "data")
    data.ingest.mkdir(parents=True)
    yield SimpleNamespace(
        plugins=PluginRecords(database),
        data=data,
        run=RunRoot(tmp_path / "run"),
        processes=_Broken(),
        new_id=lambda: "2" * 64,
        events=SimpleNamespace(publish=lambda *_: None),
        images=SimpleNamespace(transfers=SimpleNamespace(artifact=lambda *_: _Artifact())),
    )
    database.close()


class _Slow:
    """Stands for a function that blocks: it goes on once the test lets it."""

    def __init__(self, stood_for: Any) -> None:
        self.stood_for, self.begun, self.go = stood_for, Event(), Event()

    def __call__(self, *given: object) -> object:
        self.begun.set()
        assert self.go.wait(10)
        return self.stood_for(*given)


async def _cancel_within(slow: _Slow, work: Any) -> None:
    """Cancel ``work`` while ``slow`` runs, which it has to wait for."""
    task = asyncio.ensure_future(work)
    await asyncio.to_thread(slow.begun.wait, 10)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=0.05)
    slow.go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not done


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


async def _all(documents: AsyncIterator[object]) -> None:
    async for _ in documents:
        pass


def _make(_: object, place: Path) -> folder.Made:
    (place / folder.ROOTFS).mkdir()
    return folder.Made(digest_of(b"new"), _CONFIG)


def _left(data: DataRoot) -> list[str]:
    return sorted(path.name for top in (data.ingest, data.plugins) if top.exists() for path in top.iterdir())


def test_an_engine_starts_whatever_is_wrong_with_a_plugin(context: Any) -> None:
    context.plugins.save(replace(_record(), enabled=True))
    asyncio.run(PluginVerbs(context).start())

    assert [one.enabled for one in context.plugins] == [False]


def test_a_creation_that_is_cancelled_while_it_moves_in_leaves_nothing(
    context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = _Slow(folder.keep)
    monkeypatch.setattr(folder, "from_archive", _make)
    monkeypatch.setattr(folder, "keep", slow)
    asyncio.run(_cancel_within(slow, PluginVerbs(context).create("a", _nothing())))

    assert (_left(context.data), [*context.plugins]) == ([], [])


def test_an_upgrade_that_is_cancelled_while_it_moves_in_leaves_what_was(
    context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bring(_: object, __: object, place: Path, *___: object) -> folder.Made:
        return _make(None, place)

    slow, old = _Slow(folder.keep), _record()
    image = folder.image_of(context.data, old.id, old.manifest)
    image.mkdir(parents=True)
    context.plugins.save(old)
    monkeypatch.setattr(transfer, "bring", bring)
    monkeypatch.setattr(folder, "keep", slow)
    asyncio.run(_cancel_within(slow, _all(PluginVerbs(context).upgrade("sample", "host:5000/a:1"))))

    assert (_left(context.data), [*image.parent.iterdir()]) == ([old.id], [image])
    assert [*context.plugins] == [old]


def test_an_installation_that_is_cancelled_while_it_unpacks_leaves_nothing(
    context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(_: object) -> tuple[bytes, object, bytes, object]:
        return b"{}", {"layers": [{"digest": digest_of(b"layer"), "size": 5}]}, b"{}", _CONFIG

    slow = _Slow(lambda place, _: _make(None, place))
    monkeypatch.setattr(transfer, "look", look)
    monkeypatch.setattr(transfer, "unpack_blobs", slow)
    asyncio.run(_cancel_within(slow, _all(PluginVerbs(context).pull("host:5000/a:1"))))

    assert (_left(context.data), [*context.plugins]) == ([], [])
