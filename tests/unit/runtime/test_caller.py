from __future__ import annotations

from typing import Any

import pytest

from wharf.errors import InvalidArgument
from wharf.runtime import caller


def asked(**more: Any) -> caller.Asked:
    result = caller.Asked(lambda _message: None)
    for name, value in more.items():
        setattr(result, name, value)
    return result


@pytest.mark.parametrize(
    ("process", "options", "message"),
    [
        ({"terminal": True}, {"detach": True}, "cannot allocate tty"),
        ({}, {"console_socket": "/x"}, "only for a process with a terminal"),
    ],
)
def test_a_terminal_and_its_socket_belong_together(process: Any, options: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        caller.check_console(process, asked(**options))


def test_a_terminal_in_the_foreground_needs_no_socket() -> None:
    caller.check_console({"terminal": True}, asked())


def test_a_descriptor_that_is_not_open_cannot_be_preserved() -> None:
    with pytest.raises(InvalidArgument, match="it is not open"):
        caller.kept_fds({}, asked(preserve_fds=1000))


def test_sockets_to_listen_on_are_told_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "0")
    process: Any = {"env": ["A=1"]}

    assert caller.kept_fds(process, asked()) == 0
    assert process["env"] == ["A=1", "LISTEN_FDS=0", "LISTEN_PID=1"]
    monkeypatch.setenv("LISTEN_FDS", "many")
    with pytest.raises(InvalidArgument, match="not a number"):
        caller.kept_fds({}, asked())
