"""Hooks: programs of the caller's that a container's life stops for (config.md "POSIX-platform Hooks").

::

    create:  prestart, createRuntime   in the runtime's namespaces, once everything is mounted
             createContainer           in the container's, before its root is entered
    start:   startContainer            in the container, as its user, right before its program
             poststart                 in the runtime's
    delete:  poststop                  in the runtime's; what fails is only a warning

A hook reads the state from its standard input: a file in memory, so one that does not read it disturbs nobody.
"""

from __future__ import annotations

import os

from wharf.kernel import memfd, pidfd, signals
from wharf.kernel.signals import raw as signal
from wharf.lib.light_json import dumps
from wharf.runtime.errors import StartFailed, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Final, Literal, NoReturn

    from wharf.spec.oci_runtime import Hook, Hooks, State

    Status = Literal["creating", "created", "running", "stopped"]

POINTS: Final = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
_STATUS_AT: Final[dict[str, Status]] = {
    "prestart": "created",  # runc says "creating" of these three; the official suite wants what crun says
    "createRuntime": "created",
    "createContainer": "created",
    "startContainer": "created",
    "poststart": "running",
    "poststop": "stopped",
}
_HIGHEST_FD: Final = 1 << 20
_OUTPUT_BYTES: Final = 2048
_CANNOT_RUN: Final = 127


class HookPlan:
    """A container's hooks by their point, and the state they are told (its status and pid change)."""

    __slots__ = ("_by_point", "_state")

    def __init__(self, by_point: dict[str, list[Hook]], state: State) -> None:
        self._by_point = by_point
        self._state = state

    def __repr__(self) -> str:
        return " ".join(f"{point}={[h['path'] for h in hooks]}" for point, hooks in self._by_point.items())

    def at(self, *points: str) -> bool:
        """Whether there is a hook at one of these points."""
        return any(self._by_point.get(point) for point in points)

    def run(self, point: str, pid: int) -> None:
        """Run the hooks of a point in their order.

        Args:
            point: one of POINTS.
            pid: the container's process, as the caller's namespace numbers it.

        Raises:
            StartFailed: one failed, or took longer than it may; those after it did not run.
        """
        for number, hook in enumerate(self._by_point.get(point, ())):
            try:
                _run(hook, self._told(point, pid), self._state.get("bundle", "/"))
            except (OSError, ValueError) as error:
                said = error.strerror or str(error) if isinstance(error, OSError) else str(error)
                raise StartFailed("other", f"error running {point} hook #{number} {hook['path']}: {said}") from error

    def run_all(self, point: str, pid: int, warn: Callable[[str], None]) -> None:
        """Run the hooks of a point, all of them: ``warn`` is told of one that fails."""
        for hook in self._by_point.get(point, ()):
            try:
                HookPlan({point: [hook]}, self._state).run(point, pid)
            except StartFailed as error:
                warn(error.message)

    def _told(self, point: str, pid: int) -> bytes:
        state = {**self._state, "status": _STATUS_AT[point], "pid": pid}
        if not pid:
            del state["pid"]
        return dumps(state).encode(errors="surrogateescape")


def plan(hooks: Hooks | None, state: State | None) -> HookPlan:
    """Return the hooks to run.

    Args:
        hooks: of config.json.
        state: id, bundle and annotations, as hooks shall read them.

    Raises:
        StartFailed: a hook is not as the specification says.
    """
    by_point: dict[str, list[Hook]] = {}
    for point, listed in (hooks or {}).items():
        if point in POINTS and listed:
            by_point[point] = [_checked(point, hook) for hook in _list(listed)]
    if by_point and state is None:
        raise invalid("hooks are not supported here")
    return HookPlan(by_point, state or {})


def _list(hooks: object) -> Iterable[Hook]:
    if not isinstance(hooks, list):
        raise invalid("hooks are not a list")
    return hooks


def _checked(point: str, hook: Hook) -> Hook:
    path, timeout = str(hook.get("path", "")), hook.get("timeout")
    if not path.startswith("/"):
        raise invalid(f"{point} hook: path is not absolute: {path!r}")
    if timeout is not None and not timeout > 0:
        raise invalid(f"{point} hook {path}: timeout must be greater than zero")
    texts: list[object] = [path, *(hook.get("args") or ()), *(hook.get("env") or ())]
    if any(not isinstance(text, str) or "\0" in text for text in texts):
        raise invalid(f"{point} hook {path}: args and env must be texts without a NUL")
    return hook


def _run(hook: Hook, told: bytes, folder: str) -> None:
    """Run one hook to its end.

    Raises:
        ValueError: how it failed, with what it wrote.
        OSError: it could not be run.
    """
    stdin, output = memfd.sealed(told, "state"), os.memfd_create("output", os.MFD_CLOEXEC)
    try:
        pid = os.fork()
        if pid == 0:
            _become(hook, (stdin, output, output), folder)
        status = _wait(pid, hook.get("timeout"))
        said = os.pread(output, _OUTPUT_BYTES, 0).decode(errors="replace").strip()
    finally:
        os.close(stdin)
        os.close(output)
    if status is None:
        raise ValueError(f"it took longer than {hook.get('timeout')} s; it wrote: {said}")
    if status != 0:
        how = f"exit status {status}" if status > 0 else f"signal {-status}"
        raise ValueError(f"{how}; it wrote: {said}")


def _become(hook: Hook, stdio: Sequence[int], folder: str) -> NoReturn:
    """Be the hook, in a session of its own, with nothing of ours."""
    path = hook["path"]
    try:
        os.setsid()
        for number, fd in enumerate(stdio):
            os.dup2(fd, number)
        os.closerange(3, _HIGHEST_FD)
        if os.path.isdir(folder):  # not in the container
            os.chdir(folder)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, *signals.INTERNAL):
            signals.set_default(number)
        signals.unblock_all()
        env = dict(entry.split("=", 1) for entry in hook.get("env") or () if "=" in entry)
        os.execve(path, hook.get("args") or [path], env)  # noqa: S606 - what a hook is
    except OSError as error:
        os.write(2, f"{path}: {error.strerror}".encode(errors="replace"))
    finally:
        os._exit(_CANNOT_RUN)


def _wait(pid: int, timeout_s: int | None) -> int | None:
    """Return the exit code (-n: signal n), None when it had to be killed because its time was up."""
    if timeout_s is not None:
        watch = pidfd.pidfd_open(pid)
        try:
            if not pidfd.has_exited(watch, timeout_s):
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return None
        finally:
            os.close(watch)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
