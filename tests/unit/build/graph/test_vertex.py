from __future__ import annotations

from wharf.build.graph.operations import Exec, Merge, Source
from wharf.build.graph.vertex import Description, Vertex, canonical, printed, walk


def test_a_digest_tells_operation_and_inputs_but_not_what_people_are_told() -> None:
    source = Vertex(Source("local://a"))
    run = Vertex(Exec(("x",)), (source.output(),))

    assert run.digest == Vertex(Exec(("x",)), (source.output(),), description=Description("other", (1, 2))).digest
    assert run.digest != Vertex(Exec(("y",)), (source.output(),)).digest
    assert run.digest != Vertex(Exec(("x",)), (source.output(1),)).digest
    assert canonical(source) == canonical(Vertex(Source("local://a")))


def test_a_walk_gives_inputs_first_and_each_once() -> None:
    source = Vertex(Source("local://a"), description=Description("a"))
    one = Vertex(Exec(("1",)), (source.output(),), description=Description("one"))
    two = Vertex(Exec(("2",)), (source.output(),), description=Description("two"))
    both = Vertex(Merge(), (one.output(), two.output()), description=Description("both"))

    assert [vertex.description.name for vertex in walk(both.output())] == ["a", "one", "two", "both"]
    assert printed(both.output()).splitlines()[-1] == "#4 [#2,#3] Merge both"


def test_a_source_is_read_by_its_parts() -> None:
    source = Source("git://host/a.git#v1", (("git.checksum", "ab"),))

    assert (source.scheme, source.rest) == ("git", "host/a.git#v1")
    assert (source.attribute("git.checksum"), source.attribute("other")) == ("ab", "")
