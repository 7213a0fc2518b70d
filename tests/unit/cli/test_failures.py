from __future__ import annotations

import pytest

from wharf.cli.failures import describe, start_exit_code
from wharf.client.errors import raise_for
from wharf.errors import NotFound, WharfError


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('exec: "x": executable file not found in $PATH: unknown', 127),
        ('exec: "/x": stat /x: no such file or directory: unknown', 127),
        ('exec: "/bin": permission denied: unknown', 126),
        ('exec: "/bin": is a directory: unknown', 126),
        ("port is already allocated", 125),
    ],
)
def test_exit_code_of_a_failed_start_is_docker_s(message: str, code: int) -> None:
    assert start_exit_code(WharfError(message)) == code


def test_only_what_the_engine_sent_is_said_to_be_the_daemon_s() -> None:
    with pytest.raises(NotFound) as raised:
        raise_for(404, "No such container: x")

    assert describe(raised.value) == "Error response from daemon: No such container: x"
    assert describe(NotFound("here")) == "here"
