from __future__ import annotations

import pytest

from wharf.build.dockerfile.directives import Directive, DirectiveReader, find, syntax_of
from wharf.build.dockerfile.errors import DockerfileError


def test_directives_stand_at_the_top_alone() -> None:
    text = "#!/usr/bin/env x\n# Escape = `\n#check=skip=all\n# a comment\n# syntax=late\n"

    assert find("escape", text) == Directive("escape", "`", 2)
    assert find("check", text) == Directive("check", "skip=all", 3)
    assert find("syntax", text) is None


def test_one_given_twice_is_refused_with_its_line() -> None:
    reader = DirectiveReader()
    reader.take("# escape=`")

    with pytest.raises(DockerfileError) as caught:
        reader.take("# escape=`")

    assert (str(caught.value), caught.value.lines) == ("only one escape parser directive can be used", (2, 2))


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("# syntax = docker/dockerfile:1 more\nFROM a", "docker/dockerfile:1 more"),
        ("// syntax=a/b\n", "a/b"),
        ('{"syntax": "c/d"}', "c/d"),
        ("FROM a", ""),
        ("{broken", ""),
    ],
)
def test_the_frontends_image_is_found_in_every_form(text: str, image: str) -> None:
    assert syntax_of(text) == image
