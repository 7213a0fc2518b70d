from __future__ import annotations

import json
from contextlib import ExitStack

import pytest
from tests.fakes.builds import HOST, image

from wharf.build.checks.rules import finding
from wharf.build.convert.options import BaseImage, ImageName, Options
from wharf.engine.buildkit.failures import SourceText
from wharf.engine.buildkit.remarks import answered, warnings
from wharf.engine.builds.calls import Text
from wharf.errors import NotImplementedHere
from wharf.lib.ignore import Matcher

TEXT = "from base AS one\nRUN true\n"


def _resolve(name: ImageName, options: Options, held: ExitStack) -> BaseImage:
    return image()


def ask(request: str) -> dict[str, bytes]:
    return answered(request, Text("Dockerfile", TEXT, Matcher(())), Options(HOST, HOST), _resolve)


def test_a_question_is_answered_for_people_and_for_programs() -> None:
    lint = ask("frontend.lint")
    assert lint["result.statuscode"] == b"1"
    assert {one["ruleName"] for one in json.loads(lint["result.json"])["warnings"]} >= {"ConsistentInstructionCasing"}
    assert [one["name"] for one in json.loads(ask("frontend.targets")["result.json"])["targets"]] == ["one"]
    assert "frontend.lint" in ask("frontend.subrequests.describe")["result.json"].decode()
    with pytest.raises(NotImplementedHere):
        ask("frontend.hologram")


def test_a_finding_is_a_warning_of_the_step_that_read_the_file() -> None:
    found = finding("FromAsCasing", "'as' and 'FROM' keywords' casing do not match", (1, 1))
    (told,) = warnings([found], SourceText("Dockerfile", TEXT.encode()), "sha256:v")

    assert (told.vertex, told.info.filename, [one.start.line for one in told.ranges]) == (
        "sha256:v",
        "Dockerfile",
        [1],
    )
    assert told.short == b"FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)"
