from __future__ import annotations

from tests.fakes.builds import converted

from wharf.build.checks.rules import finding
from wharf.build.dockerfile.stages import read
from wharf.build.graph.vertex import Vertex, walk
from wharf.build.operations.exec import CommandFailed
from wharf.build.solver.errors import StepFailed
from wharf.build.solver.progress import Began, Ended, Wrote
from wharf.engine.builds.classic import Narrator, failure, steps_of, warnings

_TEXT = "ARG v=1\nFROM base AS one\nRUN 1\nFROM base AS unused\nRUN 2\nFROM one\nRUN 3\nCMD x\n"


def _narrator() -> tuple[Narrator, list[Vertex]]:
    target = converted(_TEXT).target
    assert target is not None
    return Narrator(steps_of(read(_TEXT), target, "")), list(walk(target))


def _texts(documents: list[dict[str, object]]) -> str:
    return "".join(str(document["stream"]) for document in documents)


def test_steps_come_in_the_files_order_whatever_is_done_first() -> None:
    narrator, (source, first, second) = _narrator()
    told: list[dict[str, object]] = []
    for event in (
        Began(second, 0),
        Wrote(second, 0, 1, b"late\n"),
        Ended(source, 0, result="sha256:" + "a" * 64),
        Began(first, 0),
        Wrote(first, 0, 1, b"early\n"),
        Ended(first, 0, result="sha256:" + "b" * 64),
        Ended(second, 0, result="sha256:" + "c" * 64),
    ):
        told += narrator.take(event)
    told += narrator.finish()

    assert _texts(told) == (
        "Step 1/6 : ARG v=1\n"
        "Step 2/6 : FROM base AS one\n ---> aaaaaaaaaaaa\n"
        f"Step 3/6 : RUN 1\n ---> Running in {first.digest[7:19]}\nearly\n"
        f" ---> Removed intermediate container {first.digest[7:19]}\n ---> bbbbbbbbbbbb\n"
        "Step 4/6 : FROM one\n"
        f"Step 5/6 : RUN 3\n ---> Running in {second.digest[7:19]}\nlate\n"
        f" ---> Removed intermediate container {second.digest[7:19]}\n ---> cccccccccccc\n"
        "Step 6/6 : CMD x\n"
    )


def test_command_that_writes_nothing_is_told_when_it_begins() -> None:
    narrator, (source, first, _) = _narrator()
    list(narrator.take(Ended(source, 0, result="sha256:" + "a" * 64)))

    assert _texts(list(narrator.take(Began(first, 0)))) == f" ---> Running in {first.digest[7:19]}\n"
    assert _texts(list(narrator.take(Ended(first, 0, result="sha256:" + "b" * 64)))).startswith(
        f" ---> Removed intermediate container {first.digest[7:19]}\n ---> bbbbbbbbbbbb\n"
    )


def test_what_nobody_had_to_look_at_was_known() -> None:
    narrator, (_, _, second) = _narrator()
    told = [*narrator.take(Ended(second, 0, cached=True, result="sha256:" + "c" * 64)), *narrator.finish()]

    assert _texts(told).count(" ---> Using cache\n") == 2


def test_a_commands_exit_code_is_the_builds_and_its_lines_are_shown() -> None:
    _, (_, first, _) = _narrator()
    error = StepFailed(first, CommandFailed(["/bin/sh", "-c", "false"], 3))

    said = "The command '/bin/sh -c false' returned a non-zero code: 3"
    document = failure(error, _TEXT, "Dockerfile")
    assert document["error"] == said
    detail = document["errorDetail"]
    assert isinstance(detail, dict)
    assert (detail["code"], detail["message"]) == (3, said)
    assert "   3 | >>> RUN 1\n" in detail["excerpt"]


def test_what_is_no_steps_failure_has_no_lines() -> None:
    assert failure(ValueError("x"), _TEXT, "Dockerfile") == {"errorDetail": {"message": "x"}, "error": "x"}


def test_findings_are_told_as_warnings() -> None:
    told = list(warnings([finding("StageNameCasing", "Stage name 'B' should be lowercase", (1, 1))]))

    assert _texts(told) == "[Warning] StageNameCasing: Stage name 'B' should be lowercase (line 1)\n"


def test_what_goes_to_standard_error_is_red() -> None:
    narrator, (source, first, _) = _narrator()
    told = [*narrator.take(Ended(source, 0)), *narrator.take(Began(first, 0))]
    told += narrator.take(Wrote(first, 0, 2, b"oh\n"))

    assert {"stream": "\x1b[91moh\n\x1b[0m"} in told


def test_a_step_that_only_configures_is_known_when_the_work_after_it_is() -> None:
    text = "FROM base\nENV a=b\nRUN 1\nCMD x\n"
    target = converted(text).target
    assert target is not None
    source, work = walk(target)
    for cached, count in ((True, 2), (False, 0)):
        narrator = Narrator(steps_of(read(text), target, ""))
        told = [*narrator.take(Ended(source, 0, cached=True)), *narrator.take(Ended(work, 0, cached=cached))]
        told += narrator.finish()

        assert _texts(told).count(" ---> Using cache\n") == count
