"""A bundle with busybox in it, and a way to run things there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.root.mounts import unchanged

from wharf.runtime import container
from wharf.runtime.started import Started

SAFE = ["nosuid", "noexec", "nodev"]
PROC = {"destination": "/proc", "type": "proc", "source": "proc", "options": SAFE}
DEV = {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}
PTS = {
    "destination": "/dev/pts",
    "type": "devpts",
    "source": "devpts",
    "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
}
CAPABILITIES = ["CAP_CHOWN", "CAP_SETUID", "CAP_SETGID", "CAP_KILL", "CAP_SETPCAP"]


class Outcome(NamedTuple):
    code: int
    output: str


class Bundle:
    """A bundle whose root is an overlay, as the engine makes them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lower = path / "lower"
        for folder in ("lower/bin", "lower/etc", "upper", "work", "rootfs"):
            (path / folder).mkdir(parents=True)
        shutil.copy("/bin/busybox", self.lower / "bin/busybox")
        for applet in subprocess.check_output(["/bin/busybox", "--list"], text=True).split():
            if applet != "busybox":
                (self.lower / "bin" / applet).symlink_to("busybox")
        (self.lower / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n")
        (self.lower / "etc/group").write_text("root:x:0:\napp:x:1000:\nwheel:x:10:app\n")
        self.rootfs: list[Any] = [
            {
                "type": "overlay",
                "source": "overlay",
                "options": [f"lowerdir+={self.lower}", f"upperdir={path}/upper", f"workdir={path}/work"],
            }
        ]

    def spec(self, args: list[str], **process: Any) -> Any:
        sets = dict.fromkeys(("bounding", "effective", "permitted"), CAPABILITIES)
        return {
            "ociVersion": "1.2.1",
            "root": {"path": "rootfs"},
            "hostname": "box",
            "process": {"args": args, "cwd": "/", "env": ["PATH=/bin"], "capabilities": sets, **process},
            "mounts": [PROC, DEV, PTS],
            "linux": {"namespaces": [{"type": t} for t in ("mount", "pid", "uts", "ipc", "network", "cgroup")]},
        }

    def create(self, spec: Any, stdio: tuple[int, int, int] | None = (0, 1, 2), **more: Any) -> Started:
        options: dict[str, Any] = {"cgroup": None, "seccomp_cache": None, "rootfs": self.rootfs, **more}
        return container.create(spec, bundle=str(self.path), stdio=stdio, **options)

    def run(self, spec: Any, **more: Any) -> Outcome:
        reader, writer = os.pipe()
        null = os.open("/dev/null", os.O_RDONLY)
        try:
            started = self.create(spec, (null, writer, writer), **more)
            started.start()
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
            os.close(null)
        with os.fdopen(reader, encoding="utf-8") as file:
            output = file.read()
        return Outcome(reap(started), output)

    def sh(self, script: str, **process: Any) -> Outcome:
        return self.run(self.spec(["sh", "-c", script], **process))


def read_line(terminal: int) -> bytes:
    """Read from a terminal until a line has ended; it may come in pieces."""
    line = b""
    while not line.endswith(b"\r\n"):
        line += os.read(terminal, 100)
    return line


def reap(started: Started) -> int:
    code = os.waitstatus_to_exitcode(os.waitpid(started.pid, 0)[1])
    os.close(started.pidfd)
    started.pidfd = -1
    return code


@pytest.fixture
def bundle(tmp_path: Path) -> Iterator[Bundle]:
    before = len(os.listdir("/proc/self/fd"))

    with unchanged():
        yield Bundle(tmp_path)

    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
