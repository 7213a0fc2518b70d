"""Containers that are saved and go on: with CRIU, where it is installed and works."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import pytest
from tests.root.runtime.conftest import Bundle
from tests.root.runtime.test_command import Command, command

from wharf.kernel.process import run
from wharf.runtime.commands.checkpoint import pages_can_be_served, reason
from wharf.runtime.saved import Reachable

__all__ = ["command"]

_WHY = reason()
pytestmark = [pytest.mark.root, pytest.mark.skipif(bool(_WHY), reason=f"checkpoint and restore: {_WHY}")]

# A new file each time: one that is open when all is saved must not be written to before it is brought back.
_COUNT = "i=0; while :; do i=$((i+1)); echo $i > /new; mv /new /count; sleep 0.1; done"


def _write(command: Command, script: str) -> Any:
    command.write(["sh", "-c", script])
    path = command.bundle.path / "config.json"
    spec = json.loads(path.read_text())
    spec["linux"]["maskedPaths"] = ["/proc/keys", "/proc/acpi"]
    spec["linux"]["readonlyPaths"] = ["/proc/sys"]
    spec["linux"]["namespaces"] = [{"type": t} for t in ("mount", "pid", "uts", "ipc")]
    path.write_text(json.dumps(spec))
    return spec


def _write_another_group(box: Command, spec: Any) -> None:
    spec["linux"]["cgroupsPath"] += "-elsewhere"
    (box.bundle.path / "config.json").write_text(json.dumps(spec))


def _count(bundle: Bundle) -> int:
    return int((bundle.lower / "count").read_text() or 0)


def _reach(bundle: Bundle, count: int) -> None:
    for _ in range(600):
        if (bundle.lower / "count").exists() and _count(bundle) >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"it does not count: {_count(bundle)}")


@pytest.fixture
def box(command: Command) -> Iterator[Command]:
    """The command, and in the end no container of the name "box", nor a child of ours."""
    yield command
    command("delete", "--force", "box")
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _run(box: Command) -> None:
    done = box.create("box")
    assert done.returncode == 0, box.output
    assert box("start", "box").returncode == 0


def _save(box: Command, *options: str, folder: str = "saved") -> None:
    done = box("checkpoint", "--image-path", folder, *options, "box")
    assert done.returncode == 0, done.stderr + _errors(box, f"{folder}/dump.log")
    if not options or options[0] not in ("--leave-running", "--pre-dump"):
        box.reap()


def _bring_back(box: Command, *options: str) -> None:
    done = box.create("-d", "--image-path", "saved", *options, "box", verb="restore")
    assert done.returncode == 0, box.output + _errors(box, "saved/restore.log")


def _errors(box: Command, log: str) -> str:
    path = box.bundle.path / log
    return path.read_text() if path.exists() else ""


def test_a_container_goes_on_where_it_was_saved(box: Command) -> None:
    spec = _write(box, _COUNT)
    _run(box)
    _reach(box.bundle, 3)
    _save(box)
    assert box("state", "box").returncode == 1

    saved = _count(box.bundle)
    (box.bundle.lower / "count").write_text("0")
    _write_another_group(box, spec)
    _bring_back(box)

    assert box.status("box") == "running"
    assert json.loads(box("state", "box").stdout)["pid"] in json.loads(box("ps", "--format", "json", "box").stdout)
    _reach(box.bundle, saved + 1)


def test_one_that_is_left_running_runs(box: Command) -> None:
    _write(box, _COUNT)
    _run(box)
    _save(box, "--leave-running")
    count = _count(box.bundle)

    assert box.status("box") == "running"
    _reach(box.bundle, count + 1)


def test_memory_can_be_saved_ahead_where_the_kernel_knows_what_is_written(box: Command) -> None:
    _write(box, _COUNT)
    _run(box)
    if run(["criu", "check", "--feature", "mem_dirty_track"]).code != 0:
        for options in (["--pre-dump"], ["--parent-path", "../ahead"]):
            done = box("checkpoint", *options, "box")
            assert (done.returncode, "CONFIG_MEM_SOFT_DIRTY" in done.stderr) == (1, True)
            assert done.stderr.count("\n") == 1
        assert box.status("box") == "running"
        return
    _save(box, "--pre-dump", folder="ahead")
    assert box.status("box") == "running"
    _save(box, "--parent-path", "../ahead")

    _bring_back(box)
    _reach(box.bundle, _count(box.bundle) + 1)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class PageServer:
    """CRIU's own, which keeps in ``folder`` what one checkpoint sends, and ends with that."""

    def __init__(self, folder: Path, port: int) -> None:
        folder.mkdir()
        reader, writer = os.pipe()
        where = ["--images-dir", str(folder), "--address", "127.0.0.1", "--port", str(port)]
        self._process = subprocess.Popen(
            ["criu", "page-server", *where, "--status-fd", str(writer)],
            pass_fds=(writer,),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        assert os.read(reader, 1) == b"\0"  # it listens
        os.close(reader)

    def end(self) -> int:
        return self._process.wait(60)


def test_memory_goes_to_a_page_server(box: Command) -> None:
    _write(box, _COUNT)
    _run(box)
    _reach(box.bundle, 3)
    port, pages = _free_port(), box.bundle.path / "pages"
    server = PageServer(pages, port)

    _save(box, "--page-server", f"127.0.0.1:{port}")

    assert server.end() == 0
    saved = box.bundle.path / "saved"
    assert not list(saved.glob("pages-*.img"))
    for image in pages.glob("pagemap-*.img"):
        (saved / image.name).unlink(missing_ok=True)
    for image in pages.glob("page*.img"):
        image.rename(saved / image.name)
    before = _count(box.bundle)
    _bring_back(box)
    _reach(box.bundle, before + 2)


class LazyPages:
    """CRIU's own daemon, which hands over pages when they are touched; its work folder is ``folder``.

    It has them in that folder, or from ``port``, where a checkpoint serves them. For use as a context manager.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._line = ["criu", "lazy-pages", "--images-dir", str(folder), "--work-dir", str(folder)]
        if port:
            self._line += ["--page-server", "--address", "127.0.0.1", "--port", str(port)]

    def __enter__(self) -> Self:
        reader, writer = os.pipe()
        self._process = subprocess.Popen(
            [*self._line, "--status-fd", str(writer)],
            pass_fds=(writer,),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        assert os.read(reader, 1) == b"\0"  # it listens
        os.close(reader)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        return self._process.wait(60)


_LAZY = pytest.mark.skipif(
    not _WHY and run(["criu", "check", "--feature", "uffd-noncoop"]).code != 0,
    reason="this kernel has no userfaultfd for what another process does",
)


@_LAZY
def test_memory_is_fetched_when_it_is_touched(box: Command) -> None:
    _write(box, _COUNT)
    _run(box)
    _reach(box.bundle, 3)
    _save(box)
    count = _count(box.bundle)
    with LazyPages(box.bundle.path / "saved") as pages:
        _bring_back(box, "--lazy-pages", "--work-path", "saved")

        _reach(box.bundle, count + 2)
        assert pages.end() == 0  # all of it has been handed over


@contextmanager
def _serving(box: Command, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A checkpoint that has written all but the memory, which whoever asks at ``port`` gets of it."""
    reader, writer = os.pipe()
    words = ["checkpoint", "--image-path", "saved", "--lazy-pages", "--page-server", f"127.0.0.1:{port}"]
    saving = subprocess.Popen(
        [*box.line, *words, "--status-fd", str(writer), "box"], cwd=box.bundle.path, pass_fds=(writer,)
    )
    os.close(writer)
    try:
        assert os.read(reader, 1) == b"\0", _errors(box, "saved/dump.log")
        yield saving
    finally:
        os.close(reader)
        saving.kill()
        saving.wait()


@_LAZY
def test_a_container_goes_on_elsewhere_before_its_memory_is_there(box: Command) -> None:
    """Of two machines only the files are shared: the memory is fetched from the checkpoint, which ends with that."""
    spec = _write(box, _COUNT)
    _run(box)
    _reach(box.bundle, 3)
    if not pages_can_be_served():
        done = box("checkpoint", "--lazy-pages", "--page-server", "127.0.0.1:1", "box")
        assert (done.returncode, "fs.pipe-max-size" in done.stderr) == (1, True)
        assert box.status("box") == "running"
        return
    port = _free_port()
    with _serving(box, port) as saving, LazyPages(box.bundle.path / "saved", port) as pages:
        count = _count(box.bundle)
        _write_another_group(box, spec)
        options = ("-d", "--image-path", "saved", "--lazy-pages", "--work-path", "saved")

        done = box.create(*options, "elsewhere", verb="restore")

        assert done.returncode == 0, box.output + _errors(box, "saved/restore.log")
        assert pages.end() == 0  # all of it has been handed over
        assert saving.wait(60) == 0
    _reach(box.bundle, count + 2)
    assert box("state", "box").returncode == 1
    assert box.status("elsewhere") == "running"
    assert box("delete", "--force", "elsewhere").returncode == 0


def test_the_hosts_mounts_and_what_is_hidden_are_there_again(box: Command) -> None:
    (box.bundle.path / "volume").mkdir()
    (box.bundle.lower / "run").mkdir()
    (box.bundle.lower / "var").mkdir()
    (box.bundle.lower / "var/run").symlink_to("/run")
    look = "cat /proc/self/mountinfo | cut -d' ' -f4-6 | sort"
    spec = _write(box, f"{look} > /volume/before; while [ ! -e /go ]; do sleep 0.1; done; {look} > /volume/after")
    (box.bundle.path / "file").write_text("of the host")
    spec["mounts"] += [
        {"destination": "/volume", "type": "bind", "source": str(box.bundle.path / "volume"), "options": ["bind"]},
        {"destination": "/var/run/file", "type": "bind", "source": "file", "options": ["bind", "ro"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]},
    ]
    (box.bundle.path / "config.json").write_text(json.dumps(spec))
    _run(box)
    _wait_for(box.bundle.path / "volume/before")
    _save(box)
    _bring_back(box)
    (box.bundle.lower / "go").touch()
    box.reap()

    after = (box.bundle.path / "volume/after").read_text()
    assert after == (box.bundle.path / "volume/before").read_text()
    assert "/proc/keys" in after


def test_a_restored_container_is_waited_for(box: Command) -> None:
    _write(box, "while [ ! -e /go ]; do sleep 0.1; done; exit 7")
    _run(box)
    _save(box)
    (box.bundle.lower / "go").touch()

    assert box.create("--image-path", "saved", "box", verb="restore").returncode == 7
    assert box("state", "box").returncode == 1


def test_a_terminal_comes_back(box: Command) -> None:
    spec = _write(box, "read x; echo read $x")
    spec["process"]["terminal"] = True
    (box.bundle.path / "config.json").write_text(json.dumps(spec))
    with _Console(box.bundle.path / "console") as console:
        assert box.create("--console-socket", console.path, "box").returncode == 0, box.output
        master = console.receive()
        assert box("start", "box").returncode == 0
        _save(box)
        os.close(master)
        _bring_back(box, "--console-socket", console.path)
        master = console.receive()
    os.write(master, b"me\n")
    box.reap()

    output = b""
    with suppress(OSError):  # EIO: nobody has it open any more
        while True:
            output += os.read(master, 1000)
    assert output == b"me\r\nread me\r\n"
    os.close(master)


def test_a_network_namespace_of_its_own_comes_back(box: Command) -> None:
    spec = _write(box, "while [ ! -e /go ]; do sleep 0.1; done; cat /proc/net/dev > /devices")
    spec["linux"]["namespaces"].append({"type": "network"})
    (box.bundle.path / "config.json").write_text(json.dumps(spec))
    _run(box)
    _save(box, "--empty-ns", "network")
    _bring_back(box, "--empty-ns", "network")
    (box.bundle.lower / "go").touch()
    box.reap()

    assert "lo:" in (box.bundle.lower / "devices").read_text()


def test_one_in_a_user_namespace_comes_back_with_its_devices(box: Command) -> None:
    spec = _write(box, _COUNT)
    maps = [{"containerID": 0, "hostID": 0, "size": 65536}]
    spec["linux"]["namespaces"].append({"type": "user"})
    spec["linux"] |= {"uidMappings": maps, "gidMappings": maps}
    (box.bundle.path / "config.json").write_text(json.dumps(spec))
    _run(box)
    _reach(box.bundle, 2)
    _save(box)
    count = _count(box.bundle)

    _bring_back(box)

    _reach(box.bundle, count + 1)
    assert box("exec", "box", "stat", "-c", "%t:%T", "/dev/null").stdout == "1:3\n"


def test_a_folder_is_a_mapped_roots_to_search_meanwhile(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    maps: Any = [{"containerID": 0, "hostID": 100000, "size": 10}]

    with Reachable(str(tmp_path), {"linux": {"gidMappings": maps}}):
        status = tmp_path.stat()
        assert (status.st_mode & 0o777, status.st_uid, status.st_gid) == (0o710, 0, 100000)

    assert (tmp_path.stat().st_mode & 0o777, tmp_path.stat().st_gid) == (0o700, 0)
    with Reachable(str(tmp_path), {}):
        assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_folder_without_a_checkpoint_is_an_error(box: Command) -> None:
    _write(box, "true")

    assert "there is no checkpoint in" in box("restore", "--image-path", "nothing", "box").stderr
    (box.bundle.path / "empty").mkdir()
    assert box("restore", "--image-path", "empty", "box").returncode == 1
    assert box("state", "box").returncode == 1


class _Console:
    """A socket that takes terminals."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def __enter__(self) -> Self:
        with chdir(os.path.dirname(self.path)):
            self._sock.bind(os.path.basename(self.path))
        self._sock.listen(1)
        self._sock.settimeout(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def receive(self) -> int:
        with self._sock.accept()[0] as peer:
            return socket.recv_fds(peer, 100, 1)[1][0]


def _wait_for(path: Path) -> None:
    for _ in range(600):
        if path.exists() and path.read_text():
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} does not come")
