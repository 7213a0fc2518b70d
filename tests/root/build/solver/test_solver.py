from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.root.build.conftest import Workbench
from tests.root.build.operations.test_exec import _Runner

from wharf.build.graph.operations import Copy, Exec, File, MakeFile, Merge, Source
from wharf.build.graph.vertex import Description, Edge, Vertex
from wharf.build.operations.exec import Commands
from wharf.build.operations.results import Folder, Layers, Result
from wharf.build.operations.selection import Digests
from wharf.build.solver.cache import Cache
from wharf.build.solver.errors import StepFailed
from wharf.build.solver.progress import Ended, Event, Progress
from wharf.build.solver.solver import Solver, Workshop
from wharf.engine.builds.offers import NoOffers
from wharf.storage.layout import RunRoot


class _Build:
    """A solver over a runner that counts; sources are folders and layers by name."""

    def __init__(self, bench: Workbench, sources: dict[str, Result], exit_code: int = 0) -> None:
        self.runner = _Runner(exit_code)
        self.events: list[Event] = []
        commands = Commands(bench.store, self.runner, bench.data, RunRoot(bench.data.path / "run"))
        self.cache = Cache(bench.database, bench.snapshots)
        self._shop = Workshop(bench.store, self.cache, commands, Digests())
        self._sources = sources

    def solve(self, edge: Edge) -> Result:
        async def fetch(_vertex: Vertex, source: Source) -> Result:
            return self._sources[source.rest]

        async def main() -> Result:
            async with Solver(self._shop, fetch, NoOffers(), Progress(self.events.append)) as solver:
                return await solver.solve(edge)

        return asyncio.run(main())

    def ended(self) -> dict[str, bool]:
        """Return the vertices that were looked at, and whether they were known."""
        return {e.vertex.description.name: e.cached for e in self.events if isinstance(e, Ended)}


def _named(operation: Exec | File | Merge | Source, *inputs: Edge, name: str, fresh: bool = False) -> Edge:
    return Vertex(operation, inputs, "", Description(name, ignore_cache=fresh)).output()


def _graph(*, fresh: bool = False) -> Edge:
    base = _named(Source("local://base"), name="base")
    context = _named(Source("local://context"), name="context")
    run = _named(Exec(("1",)), base, name="run", fresh=fresh)
    copied = _named(File((Copy(1, "/f", "/f"),)), run, context, name="copy")
    return _named(Exec(("2",)), copied, name="last")


@pytest.fixture
def sources(bench: Workbench, tmp_path: Path) -> dict[str, Result]:
    context = tmp_path / "context"
    context.mkdir()
    (context / "f").write_text("1")
    return {"base": bench.layer({"/a": b""}), "context": Folder(context)}


def test_what_is_known_is_not_done_and_its_inputs_are_not_looked_at(
    bench: Workbench, sources: dict[str, Result]
) -> None:
    first = _Build(bench, sources)
    result = first.solve(_graph())

    again = _Build(bench, sources)
    assert again.solve(_graph()) == result
    assert len(first.runner.steps) == 2
    assert again.runner.steps == []
    assert again.ended() == {"base": True, "context": False, "last": True}


def test_only_what_depends_on_a_change_is_done_again(
    bench: Workbench, sources: dict[str, Result], tmp_path: Path
) -> None:
    _Build(bench, sources).solve(_graph())
    (tmp_path / "context/other").write_text("does not matter")
    same = _Build(bench, sources)
    same.solve(_graph())
    (tmp_path / "context/f").write_text("2")
    changed = _Build(bench, sources)
    changed.solve(_graph())

    assert same.runner.steps == []
    assert changed.ended() == {"base": True, "context": False, "run": True, "copy": False, "last": False}


def test_a_step_whose_inputs_came_out_the_same_is_known(bench: Workbench, sources: dict[str, Result]) -> None:
    def graph(content: bytes) -> Edge:
        made = _named(File((MakeFile("/unused", content), MakeFile("/used", b"same")), base=-1), name="make")
        base = _named(Source("local://base"), name="base")
        copied = _named(File((Copy(1, "/used", "/x"),)), base, made, name="copy")
        return _named(Exec(("1",)), copied, name="run")

    _Build(bench, sources).solve(graph(b"1"))
    second = _Build(bench, sources)
    second.solve(graph(b"2"))

    assert second.ended() == {"base": True, "make": False, "copy": True, "run": True}


def test_what_must_be_fresh_is_done(bench: Workbench, sources: dict[str, Result]) -> None:
    _Build(bench, sources).solve(_graph())
    fresh = _Build(bench, sources)
    only = _graph(fresh=True).vertex.inputs[0].vertex.inputs[0]
    fresh.solve(only)

    assert len(fresh.runner.steps) == 1


def test_what_depends_on_what_is_done_anew_is_looked_for_by_content_alone(
    bench: Workbench, sources: dict[str, Result]
) -> None:
    def graph(*, fresh: bool) -> Edge:
        base = _named(Source("local://base"), name="base")
        made = _named(File((MakeFile("/used", b"same"),), base=-1), name="make", fresh=fresh)
        copied = _named(File((Copy(1, "/used", "/x"),)), base, made, name="copy")
        return _named(Exec(("1",)), copied, name="run")

    _Build(bench, sources).solve(graph(fresh=False))
    same = _Build(bench, sources)
    same.solve(graph(fresh=True))
    assert same.ended() == {"base": True, "make": False, "copy": True, "run": True}

    _Build(bench, sources).solve(_graph())
    others = _Build(bench, sources)
    others.runner.said = "something else"
    others.solve(_graph(fresh=True))
    assert others.ended() == {"base": True, "context": False, "run": False, "copy": False, "last": False}


def test_a_failure_names_its_vertex_and_lets_go_of_all(bench: Workbench, sources: dict[str, Result]) -> None:
    failing = _Build(bench, sources, exit_code=1)

    with pytest.raises(StepFailed) as caught:
        failing.solve(_graph())

    assert caught.value.vertex.description.name == "run"
    assert not any(record.in_use for record in failing.cache.records())


def test_shared_steps_are_done_once(bench: Workbench, sources: dict[str, Result]) -> None:
    build = _Build(bench, sources)
    shared = _named(Exec(("1",)), _named(Source("local://base"), name="base"), name="shared")
    both = _named(
        Merge(), _named(Exec(("2",)), shared, name="a"), _named(Exec(("3",)), shared, name="b"), name="both"
    )

    assert isinstance(build.solve(both), Layers)
    assert sorted(step.operation.args[0] for step in build.runner.steps) == ["1", "2", "3"]
