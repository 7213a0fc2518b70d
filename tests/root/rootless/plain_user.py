"""A throw-away plain user: known to the machine only inside the mount namespaces in which their commands run."""

from __future__ import annotations

import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

_NUMBERS = count()
_NAME = "wharf-plain"
_COUNT = 65536
_END_S = 60  # each of several processes has its turn on a busy machine


def _next_uid() -> int:
    """Return a new user's id, apart from those of other processes that run tests at the same time."""
    return 48213 + os.getpid() % 250 * 64 + next(_NUMBERS)


@dataclass
class PlainUser:
    """Runs commands as the user; ``subordinate`` and ``devices`` are what an administrator would have set up."""

    subordinate: bool = True
    devices: bool = True
    environment: dict[str, str] = field(default_factory=dict)
    cgroups: Sequence[Path] = ()  # delegated groups, which each command starts in
    uid: int = field(default_factory=_next_uid)  # its own: what another has left, or runs, is not its
    home: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="wharf-plain-")))

    def __post_init__(self) -> None:
        for name in ("etc", "run", "h"):
            (self.home / name).mkdir()
        for name in ("run", "h"):
            os.chown(self.home / name, self.uid, self.uid)
        self.home.chmod(0o755)
        line = f"{_NAME}:{self.first_subordinate}:{_COUNT}\n" if self.subordinate else ""
        for name in ("subuid", "subgid"):
            (self.home / "etc" / name).write_text(line)
        (self.home / "etc/passwd").write_text(
            Path("/etc/passwd").read_text() + f"{_NAME}:x:{self.uid}:{self.uid}::{self.home / 'h'}:/bin/sh\n"
        )

    @property
    def first_subordinate(self) -> int:
        return self.uid << 16

    @property
    def run_root(self) -> Path:
        return self.home / "run/wharf"

    @property
    def data_root(self) -> Path:
        return self.home / "h/.local/share/wharf"

    def command(self, *words: str) -> list[str]:
        """Return the command line that runs ``words`` as the user."""
        script = "\n".join([*self._mounts(), *self._groups(), f"exec {self._become()} {shlex.join(words)}"])
        return ["unshare", "--mount", "--propagation", "private", "sh", "-euc", script]

    def run(self, *words: str, code: int = 0, timeout_s: float = 60) -> str:
        """Run a command, which must exit with ``code``, and return what it wrote."""
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=timeout_s, check=False, cwd="/"
        )
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def wharf(self, *words: str, code: int = 0) -> str:
        return self.run(str(Path(sys.executable).parent / "wharf"), *words, code=code)

    def inside(self, *words: str, code: int = 0) -> str:
        """Run a command as root of the user's namespaces."""
        return self.run(sys.executable, "-m", "wharf.rootless", *words, code=code)

    def processes(self) -> list[str]:
        """Return the names of the user's processes, as far as they are alive."""
        return [name for _, name in self._processes()]

    def await_end(self) -> None:
        """Wait until no process of the user is left; what starts another before it ends has that waited for too."""
        end = time.monotonic() + _END_S
        while there := self._processes():
            for pid, name in there:
                with suppress(ProcessLookupError):
                    ended = os.pidfd_open(pid)
                    try:
                        ready, _, _ = select.select([ended], [], [], max(0, end - time.monotonic()))
                    finally:
                        os.close(ended)
                    assert ready, f"{name} does not end: {there}"

    def _processes(self) -> list[tuple[int, str]]:
        found = []
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields["Uid"].split()[0]) in {
                self.uid,
                *range(self.first_subordinate, self.first_subordinate + _COUNT),
            }:
                found += (
                    [] if fields["State"].strip().startswith("Z") else [(int(fields["Pid"]), fields["Name"].strip())]
                )
        return found

    def engine_pid(self) -> int:
        return int((self.data_root / "engine.lock").read_text())

    def remove(self) -> None:
        for pid, _ in self._processes():  # a test that failed
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.home)

    def _become(self) -> str:
        environment = {
            "HOME": str(self.home / "h"),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            **self.environment,
        }
        pairs = shlex.join(f"{name}={value}" for name, value in environment.items())
        return f"setpriv --reuid {self.uid} --regid {self.uid} --clear-groups env -i {pairs}"

    def _mounts(self) -> list[str]:
        lines = [f"mount --bind {self.home}/etc/{name} /etc/{name}" for name in ("passwd", "subuid", "subgid")]
        if self.devices:
            for name, minor in (("net/tun", 200), ("fuse", 229)):
                node = f"{self.home}/etc/{Path(name).name}"
                lines += [f"[ -e {node} ] || mknod -m 666 {node} c 10 {minor}", f"mount --bind {node} /dev/{name}"]
        return [*lines, *_opened(Path(os.path.realpath(sys.executable)))]

    def _groups(self) -> list[str]:
        return [f"echo $$ > {group}/cgroup.procs" for group in self.cgroups]


def _opened(program: Path) -> list[str]:
    """Return what makes an interpreter below a folder of root's alone reachable."""
    closed = next((folder for folder in reversed(program.parents) if not folder.stat().st_mode & 0o001), None)
    if closed is None:
        return []
    needed = closed / program.relative_to(closed).parts[0]
    aside = "/mnt"
    return [
        f"mount --bind {needed} {aside}",
        f"mount -t tmpfs -o mode=755 closed {closed}",
        f"mkdir {needed}",
        f"mount --move {aside} {needed}",
    ]
