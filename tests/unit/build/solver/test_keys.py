from __future__ import annotations

from pathlib import Path

from wharf.build.graph.operations import Copy, Exec, File, Mount, Source
from wharf.build.graph.vertex import Description, Vertex
from wharf.build.operations.results import Folder, Layers
from wharf.build.solver.keys import key_of, name_of_whole, outputs_of, selections

_A, _B = Vertex(Source("local://a")).output(), Vertex(Source("local://b")).output()


def test_a_key_tells_what_was_done_to_what() -> None:
    run = Vertex(Exec(("x",)), (_A,))

    assert key_of(run, ["k"], []) == key_of(Vertex(Exec(("x",)), (_B,), description=Description("n")), ["k"], [])
    assert len({key_of(run, ["k"], []), key_of(run, ["l"], []), key_of(run, ["k"], ["c"])}) == 3
    assert key_of(run, ["k"], []) != key_of(Vertex(Exec(("y",)), (_A,)), ["k"], [])


def test_a_copy_depends_on_what_it_takes_alone() -> None:
    one, two = Copy(1, "/x", "/y"), Copy(1, "/z", "/y")
    vertex = Vertex(File((one, two)), (_A, _B))

    assert selections(vertex, 0) == []
    assert selections(vertex, 1) == [one, two]


def test_a_command_depends_on_what_is_mounted_to_be_read() -> None:
    mounts = (Mount("/", 0, output=0), Mount("/m", 1, selector="/s", read_only=True), Mount("/o", 1, output=2))
    reading = Vertex(Exec(("x",), mounts=mounts[:2]), (_A, _B))
    writing = Vertex(Exec(("x",), mounts=mounts), (_A, _B))

    assert selections(reading, 1) == [Copy(1, "/s", "/", contents_only=True)]
    assert selections(writing, 1) == []
    assert (outputs_of(reading), outputs_of(writing), outputs_of(Vertex(File(())))) == ([0], [0, 2], [0])


def test_layers_that_are_taken_as_they_are_need_not_be_read() -> None:
    vertex = Vertex(File((Copy(1, "/x", "/y"),)), (_A, _B))

    assert name_of_whole(vertex, 0, Layers("sha256:a")) == "sha256:a"
    assert name_of_whole(vertex, 1, Layers("sha256:a")) is None
    assert name_of_whole(vertex, 0, Folder(Path("/f"))) is None
