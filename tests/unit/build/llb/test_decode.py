from __future__ import annotations

import pytest
from tests.fakes.llb import Program, mkfile

from wharf.build.graph.operations import Diff, File, MakeFile, Merge, Source
from wharf.build.graph.vertex import Edge, printed
from wharf.build.llb.builds import DEFINITION, FILENAME, LLB
from wharf.build.llb.decode import decode, platform_of, program_of
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.spec.buildkit import ops_pb2 as pb

IMAGES = {("docker.io/library/base:1", ""): "sha256:pinned"}


def graph(definition: pb.Definition) -> Edge:
    found = decode(program_of(definition), IMAGES)
    assert found is not None
    return found


def test_operations_become_a_graph_with_their_names_and_lines() -> None:
    program = Program()
    base = program.source("docker-image://docker.io/library/base:1")
    run = program.run(base, "sh", "-c", "true")
    definition = program.end(run)
    definition.metadata[run].ignore_cache = True
    definition.metadata[run].progress_group.name = "a group"
    place = definition.Source.locations[run].locations.add().ranges.add()
    place.start.line, place.end.line = 4, 6

    edge = graph(definition)
    about = edge.vertex.description
    assert printed(edge) == "#1 [] Source docker-image://docker.io/library/base:1\n#2 [#1] Exec sh -c true\n"
    assert (about.lines, about.ignore_cache, about.group) == ((4, 6), True, "a group")
    source = edge.vertex.inputs[0].vertex.operation
    assert isinstance(source, Source)
    assert source.attribute("image.digest") == "sha256:pinned"
    assert program_of(definition).images() == [("docker.io/library/base:1", "")]


def test_a_name_that_a_client_gives_counts() -> None:
    program = Program()
    made = program.add(pb.Op(file=pb.FileOp(actions=[mkfile("/f", b"x")])), name="make f")

    assert graph(program.end(made)).vertex.description.name == "make f"


def test_layers_are_merged_and_taken_apart() -> None:
    program = Program()
    one, two = program.files(mkfile("/1", b"1")), program.files(mkfile("/2", b"2"))
    merged = program.add(pb.Op(merge=pb.MergeOp(inputs=[pb.MergeInput(input=1), pb.MergeInput(input=0)])), one, two)
    difference = pb.DiffOp(lower=pb.LowerDiffInput(input=-1), upper=pb.UpperDiffInput(input=0))
    edge = graph(program.end(program.add(pb.Op(diff=difference), merged)))

    assert edge.vertex.operation == Diff(-1, 0)
    inner = edge.vertex.inputs[0].vertex
    assert inner.operation == Merge()
    assert [one.vertex.operation for one in inner.inputs] == [
        File((MakeFile("/2", b"2", 0o644),), -1),
        File((MakeFile("/1", b"1", 0o644),), -1),
    ]


def test_nothing_is_wanted_of_an_empty_definition() -> None:
    assert decode(program_of(pb.Definition()), {}) is None


def test_platforms_are_spelt_in_their_normal_form() -> None:
    assert platform_of(pb.Platform(OS="linux", Architecture="x86_64")) == "linux/amd64"
    assert platform_of(pb.Platform()) == ""


def _loop() -> pb.Definition:
    program = Program()
    program.add(pb.Op(merge=pb.MergeOp(inputs=[pb.MergeInput(input=0)])), "sha256:nowhere")
    return program.definition


def _passthrough() -> pb.Definition:
    program = Program()
    return program.end(program.add(pb.Op(passthrough=pb.PassthroughOp())))


def _missing_output() -> pb.Definition:
    program = Program()
    return program.end(program.files(mkfile("/f", b"")), 3)


def _bytes() -> pb.Definition:
    return pb.Definition(**{"def": [b"\xff\xff\xff"]})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("definition", "kind", "said"),
    [
        (_loop(), InvalidArgument, "without the operation"),
        (_bytes(), InvalidArgument, "malformed operation"),
        (_missing_output(), InvalidArgument, "has no output 3"),
        (_passthrough(), NotImplementedHere, "operations of the kind passthrough"),
    ],
)
def test_what_is_malformed_or_unknown_is_refused(definition: pb.Definition, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        graph(definition)


def test_a_graph_of_any_depth_is_decoded() -> None:
    program = Program()
    digest = program.files(mkfile("/f", b""))
    for number in range(3000):
        digest = program.files(mkfile(f"/{number}", b"", input=0), inputs=(digest,))

    assert isinstance(graph(program.end(digest)).vertex.operation, File)


def test_a_graph_in_a_file_is_one_operation_on_what_holds_it() -> None:
    program = Program()
    held = program.files(mkfile("/g", b""))
    inputs = {DEFINITION: pb.BuildInput(input=0)}
    build = pb.BuildOp(builder=LLB, inputs=inputs, attrs={FILENAME: "g"})

    assert (
        printed(graph(program.end(program.add(pb.Op(build=build), held))))
        == "#1 [] File mkfile /g\n#2 [#1] Build build /g\n"
    )
