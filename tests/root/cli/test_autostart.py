"""The first command starts the engine: with a stand-in for wharfd beside the script, and a /run of the test's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.root

_SOURCE = Path(__file__).parents[3] / "src"
_ENGINE = """\
import os, socket, sys
with open({count!r}, "a") as file:
    file.write(f"{{os.getpid()}} {{os.getsid(0)}}\\n")
{fail}
listener = socket.socket(socket.AF_UNIX)
listener.bind("/run/wharf/wharf.sock")
listener.listen(16)
while True:
    connection, _ = listener.accept()
    while data := connection.recv(65536):
        body = b"OK" if b"_ping" in data else b"[]"
        head = b"HTTP/1.1 200 OK\\r\\nApi-Version: 1.51\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\n"
        connection.sendall(head + body)
        connection.close()
        break
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    Path("/run/wharf").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run/wharf"], check=True)
    script = tmp_path / "wharf"
    script.write_text(f"#!{sys.executable}\nimport sys\nfrom wharf.cli.main import main\nsys.exit(main())\n")
    script.chmod(0o755)
    yield tmp_path
    for line in (tmp_path / "count").read_text().splitlines():
        try:
            os.kill(int(line.split()[0]), signal.SIGKILL)
        except ProcessLookupError:
            continue
    subprocess.run(["umount", "-l", "/run/wharf"], check=True)


def _engine(home: Path, fail: str = "") -> None:
    program = home / "wharfd"
    program.write_text(f"#!{sys.executable}\n" + _ENGINE.format(count=str(home / "count"), fail=fail))
    program.chmod(0o755)


def _start(home: Path, *words: str) -> subprocess.Popen[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_SOURCE)}
    return subprocess.Popen(
        [str(home / "wharf"), *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_commands_at_once_start_one_engine_in_a_session_of_its_own(home: Path) -> None:
    _engine(home)

    commands = [_start(home, "ps", "-q") for _ in range(2)]
    outputs = [command.communicate(timeout=60) for command in commands]

    said = "".join(err for _, err in outputs)
    pid, session = (home / "count").read_text().split()
    assert ([c.returncode for c in commands], said.count("starting one in the background")) == ([0, 0], 1)
    assert pid != session
    assert int(session) not in {os.getsid(0), commands[0].pid, commands[1].pid}


def test_engine_that_cannot_start_is_one_clear_line(home: Path) -> None:
    _engine(home, fail='sys.exit("wharfd: the disk is full")')

    command = _start(home, "ps")
    _, err = command.communicate(timeout=60)

    assert command.returncode == 1
    assert "the engine could not start: wharfd: the disk is full" in err
    assert "Traceback" not in err


def test_engine_at_a_chosen_address_is_never_started(home: Path) -> None:
    _engine(home)
    (home / "count").touch()

    command = _start(home, "-H", "unix:///run/wharf/wharf.sock", "ps")
    _, err = command.communicate(timeout=60)

    assert (command.returncode, (home / "count").read_text()) == (1, "")
    assert "Is the engine (wharfd) running?" in err


def test_engine_that_cannot_be_run_at_all_is_told(home: Path) -> None:
    (home / "wharfd").write_text("#!/nowhere/python\n")
    (home / "wharfd").chmod(0o755)
    (home / "count").touch()

    command = _start(home, "ps")
    _, err = command.communicate(timeout=60)

    assert command.returncode == 1
    assert f"{home}/wharfd cannot be run: No such file or directory" in err
