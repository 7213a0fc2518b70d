from __future__ import annotations

import pytest

from wharf.cli.build.debug import left_by, shell_of, was_refused
from wharf.rpc.status import INVALID_ARGUMENT, UNKNOWN
from wharf.spec.buildkit.gateway_pb2 import ExitMessage
from wharf.spec.buildkit.status_pb2 import Status


@pytest.mark.parametrize(
    ("arguments", "shell"),
    [
        (["/bin/sh", "-c", "x"], "/bin/sh"),
        (["/bin/bash", "-eo", "pipefail", "-c", "x"], "/bin/bash"),
        (["python", "-c", "x"], "/bin/sh"),
        ([], "/bin/sh"),
    ],
)
def test_the_steps_own_shell_is_started(arguments: list[str], shell: str) -> None:
    assert shell_of(arguments) == shell


def test_what_a_failed_command_has_left_is_found_among_what_is_told() -> None:
    failure = Status()
    assert left_by(failure) is None
    failure.details.add(type_url="x/errdefs.Vertex+json", value=b"{}")
    failure.details.add(type_url="x/errdefs.Solve+json", value=b'{"mountIDs": ["a"], "of the future": 1}')
    left = left_by(failure)
    assert left is not None
    assert list(left.mountIDs) == ["a"]
    assert left_by(Status(details=[{"type_url": "x/errdefs.Solve+json", "value": b"no JSON"}])) is None


@pytest.mark.parametrize(
    ("ended", "refused"),
    [
        (ExitMessage(Code=255, Error=Status(code=INVALID_ARGUMENT, message="exec failed")), True),
        (ExitMessage(Code=255, Error=Status(code=UNKNOWN, message="exit code: 255")), False),
        (ExitMessage(Code=1, Error=Status(code=UNKNOWN, message="exit code: 1")), False),
        (ExitMessage(), False),
    ],
)
def test_a_shell_that_ends_with_255_was_there(ended: ExitMessage, *, refused: bool) -> None:
    assert was_refused(ended) is refused
