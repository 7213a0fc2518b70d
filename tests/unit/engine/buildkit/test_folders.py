from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fakes.buildkit_client import FakeClient
from tests.fakes.links import connected

from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Vertex
from wharf.build.operations.selection import Digests
from wharf.build.session.kept import KeptContexts
from wharf.build.session.sessions import Greeting, Session, methods_of
from wharf.build.solver.progress import Progress
from wharf.engine.buildkit.folders import ClientFolders
from wharf.storage.layout import DataRoot


def test_what_several_graphs_need_of_a_folder_is_brought_together(tmp_path: Path) -> None:
    fake = FakeClient({"c": {"a": b"1", "b": b"2", "z": b"3"}})

    async def body() -> list[str]:
        async with connected(fake.methods()) as channel:

            async def session() -> Session:
                return Session(Greeting("s", methods=methods_of(fake.methods())), channel)

            kept = KeptContexts(DataRoot(tmp_path / "root"))
            folders = ClientFolders(session, tmp_path, kept, Digests(), Progress(lambda _: None))
            folders.narrow({"c": ["b"]})
            folders.narrow({"c": ["a"]})
            source = Source("local://c")
            first, second = await asyncio.gather(*(folders.folder(Vertex(source), source) for _ in range(2)))
            assert first == second
            return sorted(path.name for path in first.iterdir())

    assert asyncio.run(body()) == ["a", "b"]
    assert [one["followpaths"] for one in fake.asked] == [["a", "b"]]


def test_a_folder_that_is_needed_whole_is_brought_whole(tmp_path: Path) -> None:
    fake = FakeClient({"c": {"a": b"1", "z": b"3"}})

    async def body() -> list[str]:
        async with connected(fake.methods()) as channel:

            async def session() -> Session:
                return Session(Greeting("s", methods=methods_of(fake.methods())), channel)

            kept = KeptContexts(DataRoot(tmp_path / "root"))
            folders = ClientFolders(session, tmp_path, kept, Digests(), Progress(lambda _: None))
            folders.narrow({"c": None})
            folders.narrow({"c": ["a"]})
            source = Source("local://c")
            return sorted(path.name for path in (await folders.folder(Vertex(source), source)).iterdir())

    assert asyncio.run(body()) == ["a", "z"]
