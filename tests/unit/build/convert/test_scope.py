from __future__ import annotations

from tests.fakes.builds import HOST

from wharf.build.convert.options import Options
from wharf.build.convert.scope import expanded, global_arguments, pairs, platform_arguments
from wharf.build.dockerfile.stages import read
from wharf.images.platform import Platform


def test_platforms_are_arguments_of_every_build() -> None:
    values = platform_arguments(Options(HOST, Platform("linux", "arm", "v7")), "app")

    assert (values["BUILDPLATFORM"], values["TARGETPLATFORM"]) == ("linux/amd64", "linux/arm/v7")
    assert (values["TARGETVARIANT"], values["TARGETSTAGE"]) == ("v7", "app")


def test_arguments_before_the_first_stage_see_earlier_ones() -> None:
    dockerfile = read("ARG a=1\nARG b=$a-x c\nFROM base")

    values = global_arguments(dockerfile, Options(HOST, HOST, build_args={"a": "2"}))

    assert (values["a"], values["b"], "c" in values) == ("2", "2-x", False)


def test_raw_texts_keep_their_quotes() -> None:
    assert expanded("it's $a", {"a": "b"}, (1, 1), "\\", raw=True).text == "it's b"
    assert pairs(["A=1", "B="]) == {"A": "1", "B": ""}
