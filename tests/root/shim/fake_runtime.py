"""A runtime without namespaces for the shim's tests: forks, enters the cgroup, executes."""

from __future__ import annotations

import os
import pty
import signal
from typing import Any


class StartFailed(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class Started:
    def __init__(self, pid: int, console: int | None, go: int, failed: int) -> None:
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)
        self.console = console
        self.steps = {"fork": 1}
        self._go = go
        self._failed = failed

    def start(self) -> None:
        os.write(self._go, b"x")
        os.close(self._go)
        text = os.read(self._failed, 4096).decode()
        os.close(self._failed)
        if text:
            raise StartFailed("not-found", text)

    def let_mounts_go(self) -> None:
        pass

    def abort(self) -> None:
        signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def create(
    spec: Any, *, bundle: str, rootfs: Any, stdio: Any, cgroup: Any, seccomp_cache: str, invocation: Any = None
) -> Started:
    return _run(spec["process"], stdio, cgroup)


def execute(process: Any, *, init_pid: int, spec: Any, stdio: Any, cgroup: Any, seccomp_cache: str) -> Started:
    started = _run(process, stdio, cgroup)
    started.start()
    return started


def _run(process: Any, stdio: Any, cgroup: Any) -> Started:
    entry = cgroup.open_entry()
    go_read, go_write = os.pipe()
    failed_read, failed_write = os.pipe()
    master = slave = None
    if stdio is None:
        master, slave = pty.openpty()
        stdio = (slave, slave, slave)
    pid = os.fork()
    if pid == 0:
        _be(process, stdio, entry, go_read, failed_write, slave)
    entry.close()
    for fd in (go_read, failed_write, *(() if slave is None else (slave,))):
        os.close(fd)
    return Started(pid, master, go_write, failed_read)


def _be(process: Any, stdio: Any, entry: Any, go: int, failed: int, slave: int | None) -> None:
    try:
        entry.enter_v1()
        os.read(go, 1)
        os.setsid()
        if slave is not None:
            os.close(os.open(os.ttyname(slave), os.O_RDWR))
        for target, fd in enumerate(stdio):
            os.dup2(fd, target)
        os.set_inheritable(failed, False)
        os.closerange(3, failed)
        os.closerange(failed + 1, 1000)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvpe(process["args"][0], process["args"], {"PATH": "/usr/bin:/bin", "TERM": "xterm"})
    except OSError as error:
        os.write(failed, str(error).encode())
    finally:
        os._exit(127)
