from __future__ import annotations

from contextlib import ExitStack

import pytest
from tests.fakes.builds import HOST, image

from wharf.build.convert.options import BaseImage, ImageName, Options
from wharf.engine.builds.calls import Answer, Text, answer
from wharf.errors import InvalidArgument, NotFound
from wharf.lib.ignore import Matcher

_FILE = "ARG V=1\nFROM base:$V AS App\nENV X=$NONE\nFROM absent\nENV X=$NONE\n"


def _resolve(name: ImageName, options: Options, held: ExitStack) -> BaseImage:
    if name.reference.startswith("docker.io/library/absent"):
        raise NotFound("no such image")
    return image()


def _answer(call: str, text: str = _FILE, target: str = "") -> Answer:
    asked = Text("Dockerfile", text, Matcher(()))
    return answer(call, asked, Options(HOST, HOST, target=target), _resolve)


def test_a_check_finds_what_it_can_without_images_that_are_not_there() -> None:
    told = _answer("check")

    assert told.code == 1
    assert told.text.count("WARNING") == 2
    assert "WARNING: UndefinedVar - " in told.text
    assert "Stage name 'App' should be lowercase" in told.text


def test_a_check_of_a_good_file_says_nothing() -> None:
    assert (_answer("lint", "FROM base\nRUN x\n").text, _answer("check", "FROM base\n").code) == ("", 0)


def test_targets_and_outlines_are_told() -> None:
    assert [line.split() for line in _answer("targets").text.splitlines()] == [
        ["TARGET", "DESCRIPTION"],
        ["app"],
        ["(default)"],
    ]
    assert "V           1" in _answer("outline", target="app").text


def test_an_unknown_question_is_refused() -> None:
    with pytest.raises(InvalidArgument, match='unknown call "bake": it is check, outline or targets'):
        _answer("bake")
