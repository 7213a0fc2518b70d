"""The zygote: imports what a shim needs once, and keeps a spare shim forked from it that waits for a request.

A spare has done what costs time and does not depend on the request: the fork, and the first use of the memory that it
shares with the zygote until it writes to it (a page fault here costs about 5 µs, and a shim takes some hundred). The
spare reads the engine's socket itself: it takes a request, becomes its shim, and the zygote makes another spare.

It is single-threaded, its collector is frozen (so that pages stay shared), and it runs from a sealed copy of the
interpreter in memory: /proc/self/exe of anything forked from it leads to nothing that can be written. It ends when
the engine's end of its socket is closed, on purpose or by the engine's death.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time
import traceback

from wharf.kernel import prctl, sockets
from wharf.kernel.cgroup.hierarchy import Hierarchies, read_hierarchies
from wharf.shim.shim import Shim
from wharf.spec.shim_messages import MAX_MESSAGE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from wharf.shim.runtime import Runtime
    from wharf.spec.shim_messages import SpawnRequest

SOCKET_FD = 3
_MAX_FD = 0x7FFFFFFF
_CALM_MS = 25
_FORK_AGAIN_S = 0.1
_TEXTS = ("id", "bundle", "shim_dir", "seccomp_cache")


def main() -> None:
    """Be the zygote of the engine at the other end of descriptor 3.

    What the engine's program holds besides, and left open to its children, ends here: a shim would keep it as long as
    its container runs.
    """
    os.closerange(SOCKET_FD + 1, _MAX_FD)
    from wharf.runtime import container, warm  # noqa: F401, PLC0415  # only here, so that tests may bring their own

    serve(socket.socket(fileno=SOCKET_FD), container)


def serve(engine: socket.socket, runtime: Runtime) -> None:
    """Keep a spare until the engine is gone."""
    _handle_signals()
    hierarchies = read_hierarchies()
    gc.disable()
    gc.freeze()
    ends, requests = select.poll(), select.poll()
    ends.register(engine, 0)  # its hang-up is always told
    requests.register(engine, select.POLLIN)
    while True:
        spare = _fork_spare(engine, runtime, hierarchies)
        ends.register(spare, 0)
        over = any(fd == engine.fileno() for fd, _ in ends.poll())
        ends.unregister(spare)
        os.close(spare)
        if over:
            return
        # The start that has just begun needs the processors more, unless the next one waits already.
        requests.poll(_CALM_MS)


def _fork_spare(engine: socket.socket, runtime: Runtime, hierarchies: Hierarchies) -> int:
    """Fork a spare and return a pipe's end that hangs up when it has taken a request, or died."""
    zygote = os.getpid()
    while True:
        reader, writer = os.pipe()
        try:
            if os.fork() == 0:
                os.close(reader)
                _be_spare(engine, writer, zygote, runtime, hierarchies)
        except OSError as error:  # EAGAIN, ENOMEM
            _complain(f"cannot fork: {error}")
            os.close(reader)
            time.sleep(_FORK_AGAIN_S)
            continue
        finally:
            os.close(writer)
        return reader


def _be_spare(
    engine: socket.socket, writer: int, zygote: int, runtime: Runtime, hierarchies: Hierarchies
) -> NoReturn:
    """Wait for a request and become its shim; die with the zygote until then, and leave with the engine."""
    prctl.set_parent_death_signal(signal.SIGKILL)
    if os.getppid() != zygote:
        os._exit(0)
    try:
        runtime.rehearse()
    except Exception:  # noqa: BLE001  # it only saves time: the request will tell what is wrong
        traceback.print_exc()
    while True:
        try:
            received = sockets.receive(engine, MAX_MESSAGE_BYTES)
        except ValueError as error:
            _complain(f"ignored a malformed request: {error}")
            continue
        except ConnectionResetError:
            os._exit(0)
        if received is None:
            os._exit(0)
        message, fds = received
        try:
            request = _checked(message, fds)
        except ValueError as error:  # the engine sees its control socket end
            _complain(f"cannot start a shim: {error}")
            for fd in fds:
                os.close(fd)
            continue
        os.close(writer)
        engine.close()
        prctl.set_parent_death_signal(0)
        _be_shim(request, fds, runtime, hierarchies)


def _handle_signals() -> None:
    """Set the handlers of the zygote and, to spare them the work, of its shims.

    Handlers, not SIG_IGN: what is ignored stays so in a container, what is handled is reset by its exec. In a shim
    they do nothing, and its loop is told by the wake-up descriptor.
    """
    zygote = os.getpid()

    def on_child(_number: int, _frame: object) -> None:
        while os.getpid() == zygote:
            try:
                if os.waitpid(-1, os.WNOHANG) == (0, 0):
                    return
            except ChildProcessError:
                return

    def on_end(_number: int, _frame: object) -> None:
        """Go on: only the engine ends a zygote, and only its container ends a shim."""

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_end)
    signal.signal(signal.SIGCHLD, on_child)


def _checked(message: dict[str, Any], fds: list[int]) -> SpawnRequest:
    """Return the request if a shim can begin with it.

    Raises:
        ValueError: it is not a spawn request, or its descriptors do not fit.
    """
    if message.get("op") != "spawn" or not all(isinstance(message.get(key), str) for key in _TEXTS):
        raise ValueError(f"not a spawn request: {message.get('op')!r}")
    attachments = message.get("attachments")
    if not isinstance(attachments, list) or len(fds) != 2 + len(attachments):
        raise ValueError(f"{len(fds)} descriptors do not fit the attachments")
    request: SpawnRequest = message  # type: ignore[assignment]  # the engine is trusted; a bad field fails in the shim
    return request


def _be_shim(request: SpawnRequest, fds: list[int], runtime: Runtime, hierarchies: Hierarchies) -> NoReturn:
    """Live as a shim and end the process; ``fds[1]``, the lock, stays open until then."""
    code = 1
    try:
        _redirect_errors(f"{request['shim_dir']}/shim.log")
        control, *attachments = (socket.socket(fileno=fd) for fd in (fds[0], *fds[2:]))
        Shim(request, control, runtime).run(attachments, hierarchies)
        code = 0
    except BaseException:  # noqa: BLE001  # the top of a process: nothing above would tell anybody
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _redirect_errors(path: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(fd, 2)
    os.close(fd)


def _complain(text: str) -> None:
    sys.stderr.write(f"wharf zygote: {text}\n")
    sys.stderr.flush()
