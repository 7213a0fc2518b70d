"""The zygote: imports what a shim needs once, and keeps a spare shim forked from it that waits for a request.

A spare has done what costs time and does not depend on the request: the fork, and (:mod:`wharf.runtime.embryo`) the
birth of a process in new namespaces that will be the container's init. The spare reads the engine's socket itself: it
takes a request, becomes its shim, and the zygote makes another spare, once that start is over or another waits.

It is single-threaded, its collector is frozen (so that pages stay shared), and it runs from a sealed copy of the
interpreter in memory: /proc/self/exe of anything forked from it leads to nothing that can be written. It ends when
the engine's end of its socket is closed, on purpose or by the engine's death.
"""

from __future__ import annotations

import _socket as socket
import errno
import gc
import io
import os
import select
import sys
import time

from wharf.kernel import prctl, sockets
from wharf.kernel.cgroup.hierarchy import Hierarchies, read_hierarchies
from wharf.kernel.libc import suppress_errno
from wharf.kernel.signals import raw as signal
from wharf.lib import light_json
from wharf.shim import namespaces
from wharf.shim.readiness import Readiness
from wharf.shim.rehearsal import rehearse
from wharf.shim.shim import Shim
from wharf.spec.shim_wire import BEGUN, MAX_MESSAGE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from wharf.runtime.embryo import Embryo, Expected
    from wharf.shim.runtime import Runtime
    from wharf.spec.shim_messages import SpawnRequest, Usual

SOCKET_FD = 3
_MAX_FD = 0x7FFFFFFF
_USUAL_FD = 4
_LONGEST_USUAL_BYTES = 1 << 20
_FORK_AGAIN_S = 0.1
_TEXTS = ("id", "bundle", "cgroup", "shim_dir", "seccomp_cache")


def main() -> None:
    """Be the zygote of the engine at the other end of descriptor 3.

    What the engine's program holds besides, and left open to its children, ends here: a shim would keep it as long as
    its container runs.
    """
    os.closerange(_USUAL_FD + 1, _MAX_FD)
    from wharf.runtime import container, warm  # noqa: F401, PLC0415  # only here, so that tests may bring their own

    text = os.pread(_USUAL_FD, _LONGEST_USUAL_BYTES, 0).decode()
    os.close(_USUAL_FD)
    usual: Usual | None = light_json.loads(text) if text else None  # type: ignore[assignment]  # the engine is trusted
    serve(socket.socket(fileno=SOCKET_FD), container, usual)


def serve(engine: socket.socket, runtime: Runtime, usual: Usual | None = None) -> None:
    """Keep a spare until the engine is gone."""
    _handle_signals()
    hierarchies = read_hierarchies()
    expected = _expect(runtime, usual)
    gc.disable()
    gc.freeze()
    while True:
        spare = _fork_spare(engine, runtime, expected, hierarchies)
        over = _wait_until_used(engine, spare)
        os.close(spare)
        if over:
            return


def _expect(runtime: Runtime, usual: Usual | None) -> Expected | None:
    try:
        return runtime.expect(usual["spec"], usual["seccomp_cache"]) if usual else None
    except runtime.StartFailed as failure:  # it only saves time: a request will tell what is wrong
        _complain(f"cannot prepare for containers: {failure.message}")
        return None


def _wait_until_used(engine: socket.socket, spare: int) -> bool:
    """Wait until the next spare should be made; return whether the engine is gone instead.

    That is when the spare's start is over, for it needs the processors more; or when it has taken its request and
    the next one waits already; or when it is dead.
    """
    waiting = select.poll()
    waiting.register(engine, 0)  # its hang-up is always told
    waiting.register(spare, select.POLLIN)
    while True:
        found = dict(waiting.poll())
        if found.get(engine.fileno(), 0) & ~select.POLLIN:
            return True
        if not found.get(spare, 0) & select.POLLIN or not os.read(spare, 1):
            return False  # it has hung up, or a request waits
        waiting.modify(engine, select.POLLIN)


def _fork_spare(engine: socket.socket, runtime: Runtime, expected: Expected | None, hierarchies: Hierarchies) -> int:
    """Fork a spare and return a pipe's end: a byte comes when it takes a request, the end when the start is over."""
    zygote = os.getpid()
    while True:
        reader, writer = os.pipe()
        try:
            if os.fork() == 0:
                os.close(reader)
                _be_process(_Spare(engine, writer, runtime, expected, hierarchies), zygote)
        except OSError as error:  # EAGAIN, ENOMEM
            _complain(f"cannot fork: {error}")
            os.close(reader)
            time.sleep(_FORK_AGAIN_S)
            continue
        finally:
            os.close(writer)
        return reader


def _be_process(spare: _Spare, zygote: int) -> NoReturn:
    """Be a spare, then a shim, to the process's end: nothing of the zygote's goes on in it, whatever happens."""
    try:
        _be_spare(spare, zygote)
    except BaseException:  # noqa: BLE001  # the top of a process: nothing above would tell anybody
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(1)


class _Spare:
    """What a spare has: the engine's socket, the pipe to the zygote, and what its shim will need."""

    __slots__ = ("embryo", "engine", "expected", "hierarchies", "runtime", "writer")

    def __init__(
        self,
        engine: socket.socket,
        writer: int,
        runtime: Runtime,
        expected: Expected | None,
        hierarchies: Hierarchies,
    ) -> None:
        self.engine = engine
        self.writer = writer
        self.runtime = runtime
        self.expected = expected
        self.hierarchies = hierarchies
        self.embryo: Embryo | None = None

    def conceive(self) -> None:
        """Have an embryo; without one the shim clones its container's init itself."""
        try:
            self.embryo = self.expected.conceive() if self.expected else None
        except OSError as error:
            _complain(f"cannot prepare a container: {error}")


def _be_spare(spare: _Spare, zygote: int) -> NoReturn:
    """Wait for a request and become its shim; die with the zygote until then, and leave with the engine."""
    prctl.set_parent_death_signal(signal.SIGKILL)
    if os.getppid() != zygote:
        os._exit(0)
    spare.conceive()
    ready = Readiness()
    try:
        rehearse(ready.loop)
    except OSError as error:  # it only saves time
        _complain(f"cannot rehearse: {error}")
    while True:
        try:
            received = sockets.receive(spare.engine, MAX_MESSAGE_BYTES)
        except ValueError as error:
            _complain(f"ignored a malformed request: {error}")
            continue
        except ConnectionResetError:
            os._exit(0)
        if received is None:
            os._exit(0)
        message, fds = received
        request = _taken(message, fds)
        if request is None:
            continue
        with suppress_errno(errno.EPIPE):  # the engine is gone already, and its zygote with it
            os.write(spare.writer, b".")
        spare.engine.close()
        prctl.set_parent_death_signal(0)
        _be_shim(ready, request, fds, spare)


def _taken(message: dict[str, Any], fds: list[int]) -> SpawnRequest | None:
    """Return the request whose shim the spare is to become; None: it stays a spare, and all is answered."""
    try:
        if message.get("op") != "namespace":
            return _checked(message, fds)
        namespaces.make(message, fds)
    except ValueError as error:  # the engine sees its control socket end
        _complain(f"cannot do what is asked: {error}")
        for fd in fds:
            os.close(fd)
    return None


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
    if not isinstance(attachments, list) or len(fds) != 3 + len(attachments):
        raise ValueError(f"{len(fds)} descriptors do not fit the attachments")
    request: SpawnRequest = message  # type: ignore[assignment]  # the engine is trusted; a bad field fails in the shim
    return request


def _be_shim(ready: Readiness, request: SpawnRequest, fds: list[int], spare: _Spare) -> NoReturn:
    """Live as a shim and end the process; the lock stays open until then."""
    control, lock, document, *attached = fds
    os.write(lock, BEGUN)
    os.dup2(0, 2)
    sys.stderr = ShimLog(f"{request['shim_dir']}/shim.log")
    attachments = [socket.socket(fileno=fd) for fd in attached]
    runtime = _runtime_of(request, spare)
    shim = Shim(ready, request, socket.socket(fileno=control), document, runtime, spare.embryo)
    shim.run(attachments, spare.hierarchies, lambda: os.close(spare.writer))
    sys.stderr.flush()
    os._exit(0)


def _runtime_of(request: SpawnRequest, spare: _Spare) -> Runtime:
    if "runtime" in request:  # which runs hooks itself
        from wharf.shim.other.runtime import OtherRuntime  # noqa: PLC0415  # memory: few containers want another

        return OtherRuntime(request)
    if "hooked" in request:
        from wharf.shim.hooked import HookedRuntime  # noqa: PLC0415  # the same

        return HookedRuntime(spare.runtime, request)
    return spare.runtime


class ShimLog(io.TextIOBase):
    """Standard error of a shim: a file that is made when there is something to say."""

    def __init__(self, path: str) -> None:
        self._path = path

    def write(self, text: str) -> int:
        """Append ``text``; what cannot be written is lost, for there is nobody to tell, and the container goes on."""
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError:
            return len(text)
        try:
            os.write(fd, text.encode(errors="backslashreplace"))
        except OSError:
            return len(text)
        finally:
            os.close(fd)
        return len(text)


def _complain(text: str) -> None:
    sys.stderr.write(f"wharf zygote: {text}\n")
    sys.stderr.flush()
