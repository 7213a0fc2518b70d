from __future__ import annotations

import pytest
from tests.fakes.llb import copy, mkfile

from wharf.build.graph.operations import Copy, File, MakeFile, MakeFolder, MakeLink, Owner, Remove, Source
from wharf.build.graph.vertex import Edge, Vertex
from wharf.build.llb.files import chains_of
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.spec.buildkit import ops_pb2 as pb

BASE = Vertex(Source("docker-image://base")).output()
OTHER = Vertex(Source("local://context")).output()


def chains(*actions: pb.FileAction, inputs: tuple[Edge, ...] = (BASE, OTHER)) -> dict[int, Vertex]:
    return {number: vertex for number, _, vertex in chains_of(pb.FileOp(actions=actions), inputs)}


def test_actions_that_go_on_each_other_are_one_line() -> None:
    user = pb.ChownOpt(user=pb.UserOpt(byID=5), group=pb.UserOpt(byName=pb.NamedUserOpt(name="g")))
    found = chains(
        pb.FileAction(
            input=0,
            output=-1,
            mkdir=pb.FileActionMkDir(path="d/", mode=0o700, makeParents=True, owner=user, timestamp=-1),
        ),
        copy(1, "src", "/d/", input=2, output=-1),
        pb.FileAction(input=3, output=-1, symlink=pb.FileActionSymlink(oldpath="d", newpath="/l", timestamp=9)),
        pb.FileAction(input=4, output=0, rm=pb.FileActionRm(path="/x*", allowNotFound=True, allowWildcard=True)),
    )

    assert list(found) == [0]
    assert found[0].operation == File(
        (
            MakeFolder("/d", 0o700, parents=True, owner=Owner(5, "g")),
            Copy(1, "/src", "/d/", create_parents=True),
            MakeLink("/l", "d", created_ns=9),
            Remove("/x*", allow_missing=True, wildcards=True),
        )
    )
    assert found[0].inputs == (BASE, OTHER)


def test_outputs_on_the_way_are_lines_of_their_own_and_can_be_copied_from() -> None:
    found = chains(mkfile("/one", b"1", output=0), copy(2, "/one", "/two", input=0, output=1))

    assert found[0].operation == File((MakeFile("/one", b"1", 0o644),), base=-1)
    assert found[1].operation == File((Copy(1, "/one", "/two"),))
    assert [edge.vertex.digest for edge in found[1].inputs] == [BASE.vertex.digest, found[0].digest]


def test_a_copy_from_the_base_itself_is_of_its_first_state() -> None:
    (vertex,) = chains(copy(0, "/a", "/b", input=0), inputs=(BASE,)).values()

    assert vertex.operation == File((Copy(1, "/a", "/b"),))
    assert vertex.inputs == (BASE, BASE)


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (mkfile("/f", b"", input=9), InvalidArgument),
        (copy(-1, "/a", "/b"), InvalidArgument),
        (copy(9, "/a", "/b"), InvalidArgument),
        (pb.FileAction(input=0, output=0), NotImplementedHere),
        (
            pb.FileAction(input=0, secondaryInput=1, copy=pb.FileActionCopy(alwaysReplaceExistingDestPaths=True)),
            NotImplementedHere,
        ),
    ],
)
def test_what_names_nothing_or_is_unknown_is_refused(action: pb.FileAction, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        chains(action)
