from __future__ import annotations

from pathlib import Path

from conformance.build_beside_dockerd import SUITE, Result, cases, differences
from conformance.built_image import BuiltImage

from wharf.build.dockerfile.parser import parse

_IMAGE = BuiltImage({"Cmd": ["x"]}, (("RUN x", False),), ({"a": ("file",)}, {"a": ("file", 2)}))
_SQUASHED = BuiltImage({"Cmd": ["x"]}, (("RUN x", False),), ({"a": ("file", 2)},))


def test_the_cases_are_there_and_can_be_read() -> None:
    found = cases()

    assert sum(len(case.doors) for case in found) == SUITE.baseline > 100
    assert all(parse(case.path.read_bytes()).statements for case in found)


def test_notes_in_a_dockerfile_say_what_its_build_is_given_and_bases_come_first(tmp_path: Path) -> None:
    (tmp_path / "a.Dockerfile").write_text("FROM beside/b\n")
    (tmp_path / "b.Dockerfile").write_text("# with: --label 'a=b c'\n# only: buildkit\n# context: other\nFROM x\n")

    found = cases(tmp_path)

    assert [case.name for case in found] == ["b", "a"]
    assert (found[0].flags, found[0].doors, found[0].context) == (("--label", "a=b c"), ("buildkit",), "other")


def test_the_old_door_may_cut_layers_otherwise() -> None:
    ours, theirs = Result(_IMAGE, "said"), Result(_SQUASHED, "said")

    assert list(differences("case", "classic", ours, theirs)) == []
    assert list(differences("case", "buildkit", ours, theirs)) == ["2 layers are 1 there"]


def test_what_only_one_builds_and_what_is_said_count() -> None:
    ours, none = Result(_IMAGE, "one"), Result(None, "no")

    assert list(differences("case", "classic", ours, none)) == ["only wharf builds it: one"]
    assert list(differences("case", "classic", none, none)) == ["nobody builds it: no"]
    assert list(differences("refused-x", "classic", none, none)) == []
    assert list(differences("case", "classic", ours, Result(_IMAGE, "two"))) == [
        "a container says 'one', and 'two' there"
    ]
