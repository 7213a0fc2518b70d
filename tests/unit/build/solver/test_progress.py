from __future__ import annotations

from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Vertex
from wharf.build.solver.progress import Began, Ended, Event, Progress, Wrote


def test_what_happens_is_told_with_its_time() -> None:
    heard: list[Event] = []
    vertex = Vertex(Source("local://a"))
    progress = Progress(heard.append, iter(range(9)).__next__)

    progress.began(vertex)
    progress.wrote(vertex, 2, b"x")
    progress.ended(vertex, error="no")

    assert heard == [Began(vertex, 0), Wrote(vertex, 1, 2, b"x"), Ended(vertex, 2, error="no")]
