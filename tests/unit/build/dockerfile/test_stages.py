from __future__ import annotations

import pytest

from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.dockerfile.stages import read, trigger_of
from wharf.errors import InvalidArgument


def test_each_from_begins_a_stage() -> None:
    found = read("ARG v\nFROM a AS one\nRUN x\nFROM one\nCMD y\n")

    assert [argument.arguments[0].name for argument in found.arguments] == ["v"]
    assert [(stage.name, len(stage.instructions)) for stage in found.stages] == [("one", 1), ("", 1)]


def test_nothing_but_arg_comes_before_the_first_stage() -> None:
    with pytest.raises(DockerfileError, match="line 2: no build stage in current context"):
        read("ARG v\nRUN x\nFROM a")


def test_a_trigger_is_read_from_its_line() -> None:
    found = trigger_of("RUN <<E\nx\nE")

    assert isinstance(found, kinds.Run)
    assert found.documents[0].content == "x\n"
    with pytest.raises(InvalidArgument, match="FROM isn't allowed"):
        trigger_of("FROM x")
