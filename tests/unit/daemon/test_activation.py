from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from wharf.daemon.activation import adopt, inherited, notify
from wharf.errors import InvalidArgument


@pytest.mark.parametrize(
    ("environment", "passed"),
    [
        ({}, []),
        ({"LISTEN_PID": "5", "LISTEN_FDS": "2"}, [(3, ""), (4, "")]),
        ({"LISTEN_PID": "6", "LISTEN_FDS": "2"}, []),
        ({"LISTEN_PID": "5", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "api:more"}, [(3, "api"), (4, "more")]),
    ],
)
def test_descriptors_are_ours_when_they_name_us(environment: dict[str, str], passed: list[tuple[int, str]]) -> None:
    assert inherited(environment, 5) == passed


def test_number_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="LISTEN_FDS is 'many'"):
        inherited({"LISTEN_PID": "5", "LISTEN_FDS": "many"}, 5)


def test_nothing_passed_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="fd://3: no such socket was passed"):
        adopt("3", {})


ADOPTS = """
import os
from wharf.daemon.activation import adopt
os.environ["LISTEN_PID"] = str(os.getpid())
made, = adopt("api")
print(made.getsockname())
made.settimeout(60)
print(made.accept()[0].recv(9))
"""


def test_socket_that_was_passed_is_listened_on(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(str(path))
        listener.listen()
        client.connect(str(path))
        client.send(b"hello")
        number = listener.fileno()
        script = f"import os; os.dup2({number}, 3)\n{ADOPTS}"
        done = subprocess.run(
            [sys.executable, "-c", script],
            pass_fds=[number],
            env={**os.environ, "LISTEN_FDS": "1", "LISTEN_FDNAMES": "api"},
            capture_output=True,
            text=True,
            check=True,
        )

    assert done.stdout.splitlines() == [str(path), "b'hello'"]


def test_readiness_is_told_to_who_asks(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        notify("READY=1", {"NOTIFY_SOCKET": str(path)})
        notify("READY=1", {})

        assert manager.recv(64) == b"READY=1"
