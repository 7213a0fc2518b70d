"""``wharf-runtime`` as other engines drive it: a command for each step, nothing between them but the state folder."""

from __future__ import annotations

import array
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.root import groups
from tests.root.runtime.conftest import Bundle, read_line

from wharf.kernel import prctl

pytestmark = pytest.mark.root

SOURCE = Path(__file__).parents[3] / "src"
PROGRAM = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); from wharf.runtime.cli import main; sys.exit(main())"


class Command:
    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.root = bundle.path / "state"

    @property
    def line(self) -> list[str]:
        return [sys.executable, "-B", "-I", "-c", PROGRAM, "--root", str(self.root)]

    def write(self, args: list[str], **process: Any) -> None:
        spec = self.bundle.spec(args, **process)
        spec["root"]["path"] = "lower"
        spec["linux"]["cgroupsPath"] = f"{groups.PARENT}/{self.bundle.path.name}"
        (self.bundle.path / "config.json").write_text(json.dumps(spec))

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-B", "-I", "-c", PROGRAM, "--root", str(self.root), *words],
            cwd=self.bundle.path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def create(self, *words: str, verb: str = "create") -> subprocess.CompletedProcess[str]:
        """Without pipes: the container would keep them open."""
        with open(self.bundle.path / "output", "w+b") as output:
            done = subprocess.run(
                [sys.executable, "-B", "-I", "-c", PROGRAM, "--root", str(self.root), verb, *words],
                cwd=self.bundle.path,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=60,
                check=False,
            )
        return subprocess.CompletedProcess([], done.returncode, "", self.output)

    @property
    def output(self) -> str:
        return (self.bundle.path / "output").read_text()

    def status(self, name: str) -> str:
        return str(json.loads(self("state", name).stdout)["status"])

    def reap(self) -> int:
        """Reap init, which has become our child; return its exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(-1, 0)[1])


@pytest.fixture
def command(bundle: Bundle) -> Iterator[Command]:
    prctl.set_child_subreaper()
    command = Command(bundle)
    yield command
    prctl.prctl(prctl.Option.SET_CHILD_SUBREAPER, 0)
    assert not command.root.exists() or os.listdir(command.root) == []
    assert groups.folders(bundle.path.name) == []


def test_what_cannot_be_created_leaves_no_state(command: Command) -> None:
    command.write(["nope"])

    done = command.create("c1")

    assert (done.returncode, done.stderr) == (
        1,
        'wharf-runtime: unable to start container process: exec: "nope": executable file not found in $PATH\n',
    )


def test_a_program_that_turns_out_not_to_be_one_leaves_no_process(command: Command) -> None:
    (command.bundle.lower / "bin/script").write_text("#!/nowhere\n")
    (command.bundle.lower / "bin/script").chmod(0o755)
    command.write(["script"])

    done = command("run", "c1")

    assert (done.returncode, "no such file or directory" in done.stderr) == (1, True)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_taken_id_is_what_is_told_and_signal_0_asks_whether_it_runs(command: Command) -> None:
    command.write(["sleep", "100"])
    assert command.create("c1").returncode == 0

    again = command.create("c1")
    asked = [command("kill", "c1", "0").returncode]
    command("kill", "c1", "KILL")
    command.reap()
    asked.append(command("kill", "c1", "0").returncode)
    command("delete", "--force", "c1")

    assert "container with given ID already exists: c1" in again.stderr
    assert asked == [0, 1]


def test_errors_are_one_line_and_in_the_log(command: Command) -> None:
    log = command.bundle.path / "log"

    done = command("--log", str(log), "--log-format", "json", "start", "nope")

    assert (done.returncode, done.stderr) == (1, "wharf-runtime: container does not exist: nope\n")
    assert json.loads(log.read_text())["msg"] == "container does not exist: nope"


def test_a_container_goes_through_its_life(command: Command) -> None:
    command.write(["sh", "-c", "echo up; exec sleep 100"])
    assert command.create("--pid-file", "pid", "c1").returncode == 0
    assert command.status("c1") == "created"
    assert command.create("c1").returncode == 1
    assert command("start", "c1").returncode == 0
    assert command("start", "c1").stderr == "wharf-runtime: cannot start a container that has status running\n"
    assert command("exec", "c1", "cat", "/proc/1/comm").stdout == "sleep\n"
    assert "not stopped" in command("delete", "c1").stderr
    assert command("kill", "c1", "KILL").returncode == 0
    assert command.reap() == -9
    assert command.status("c1") == "stopped"

    assert command("delete", "c1").returncode == 0


def test_a_created_container_is_deleted_by_force(command: Command) -> None:
    command.write(["sleep", "100"])
    command.create("c1")

    assert command("delete", "--force", "c1").returncode == 0
    assert command.reap() == -9
    assert command("delete", "--force", "c1").returncode == 0


def test_run_gives_the_exit_code(command: Command) -> None:
    command.write(["sh", "-c", "echo out; exit 7"])

    done = command("run", "c1")

    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "")


def test_a_terminal_goes_to_the_console_socket(command: Command) -> None:
    command.write(["tty"], terminal=True)
    assert "--console-socket" in command.create("c1").stderr
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(command.bundle.path / "console.sock"))
        server.listen()
        command.create("--console-socket", "console.sock", "c1")
        master = _received(server)
    command("start", "c1")

    assert read_line(master) == b"/dev/pts/0\r\n"
    os.close(master)
    assert command.reap() == 0
    command("delete", "c1")


def test_a_descriptor_of_the_process_goes_to_the_pidfd_socket(command: Command) -> None:
    command.write(["sleep", "100"])
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(command.bundle.path / "pidfd.sock"))
        server.listen()
        command.create("--pidfd-socket", "pidfd.sock", "--detach", "c1", verb="run")
        pidfds = [_received(server)]
        command.create("--pidfd-socket", "pidfd.sock", "--detach", "c1", "sleep", "100", verb="exec")
        pidfds.append(_received(server))
    for pidfd in reversed(pidfds):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os.close(pidfd)
        assert command.reap() == -signal.SIGKILL
    assert command.status("c1") == "stopped"
    command("delete", "c1")


def _received(server: socket.socket) -> int:
    with server.accept()[0] as connection:
        _, ancillary, _, _ = connection.recvmsg(100, socket.CMSG_SPACE(4))
    (fd,) = array.array("i", ancillary[0][2])
    return fd


def test_a_control_group_that_somebody_is_in_is_left_alone(command: Command) -> None:
    command.write(["true"])
    group = Path(f"/sys/fs/cgroup/pids{groups.PARENT}/{command.bundle.path.name}")
    group.mkdir(parents=True)
    somebody = subprocess.Popen(["sleep", "100"])
    (group / "cgroup.procs").write_text(str(somebody.pid))

    done = command("run", "c1")

    assert (done.returncode, somebody.poll()) == (1, None)
    assert "container's cgroup is not empty: 1 process(es) found in" in done.stderr
    somebody.kill()
    somebody.wait()
    group.rmdir()


def test_a_document_of_another_shape_is_refused_in_one_line(command: Command) -> None:
    (command.bundle.path / "config.json").write_text('{"ociVersion": "1.0.0", "process": {"args": "sh"}}')

    done = command("run", "c1")

    assert (done.returncode, done.stderr) == (
        1,
        "wharf-runtime: config.json is not as the specification says: process.args must be a list\n",
    )
