"""What the shim needs of a runtime (:class:`wharf.shim.runtime.Runtime`), by another one's command line.

The container's root is mounted in a mount namespace that the shim enters for it, so it is on nobody else's host and
goes with the shim. The runtime's programs end when they have made a process, which then is the shim's, their
subreaper's, child: it is waited for and signalled as any. So runtimes are meant whose containers are processes of
this kernel.
"""

from __future__ import annotations

import _socket
import os

from wharf.kernel import namespace, unix_socket
from wharf.kernel.libc import suppress_errno
from wharf.kernel.signals import raw as signal
from wharf.lib import light_json
from wharf.runtime import rootfs
from wharf.runtime.errors import StartFailed, invalid
from wharf.runtime.steps import Steps
from wharf.shim.other import bundle as bundles
from wharf.shim.other.program import Program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, NoReturn

    from wharf.kernel.cgroup.group import Cgroup
    from wharf.runtime.checkpoint import Wanted
    from wharf.runtime.embryo import Expected
    from wharf.runtime.invocation import Invocation
    from wharf.shim.runtime import Stdio
    from wharf.spec.oci_runtime import Process, Spec
    from wharf.spec.shim_messages import RootfsMount, SpawnRequest

_NEWNS: Final = namespace.FLAG_OF["mount"]
_FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_CONSOLE_BYTES: Final = 4096


class Made:
    """A process that another runtime has created."""

    def __init__(self, pid: int, pidfd: int, console: int | None, steps: Steps) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.console = console
        self._steps = steps
        self._program: Program | None = None
        self._id = ""

    def of(self, program: Program, container_id: str) -> Made:
        """Make it the init of a container, which waits for its start."""
        self._program, self._id = program, container_id
        return self

    @property
    def steps(self) -> dict[str, int]:
        """Microseconds each step took."""
        return self._steps.us

    def start(self) -> None:
        """Let it execute its program.

        Raises:
            StartFailed: why not.
        """
        if self._program is not None:
            self._program.run("start", self._id)

    def let_mounts_go(self) -> None:
        """Have the runtime forget a container that has ended; what it cannot, the shim's folder takes along."""
        if self._program is not None:
            program, self._program = self._program, None
            try:
                program.run("delete", "--force", self._id)
            except StartFailed:
                return

    def abort(self) -> None:
        """Kill and reap it instead."""
        with suppress_errno(3):  # ESRCH
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        with suppress_errno(10):  # ECHILD
            os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED)
        os.close(self.pidfd)
        if self.console is not None:
            os.close(self.console)
        self.let_mounts_go()


class OtherRuntime:
    """The runtime that a request names, for its one container."""

    StartFailed = StartFailed

    def __init__(self, request: SpawnRequest) -> None:
        named = request["runtime"]
        self._id = request["id"]
        self._folder = request["shim_dir"]
        self._program = Program(named["path"], named["arguments"], self._folder)
        self._execs = 0

    def expect(self, usual: Spec, seccomp_cache: str) -> Expected:
        """Nothing can be prepared.

        Raises:
            StartFailed: always.
        """
        del usual, seccomp_cache
        raise self._cannot("prepare")

    def create(
        self,
        spec: Spec,
        *,
        bundle: str,
        rootfs: list[RootfsMount],
        stdio: Stdio | None,
        cgroup: Cgroup,
        seccomp_cache: str,
        invocation: Invocation | None = None,
    ) -> Made:
        """Create the container's init; see :func:`wharf.runtime.container.create`."""
        del bundle, seccomp_cache, invocation
        steps = Steps()
        own, place = f"{self._folder}/bundle", f"{self._folder}/bundle/rootfs"
        os.makedirs(place, exist_ok=True)
        root = _mounted(rootfs, place, (spec.get("linux") or {}).get("rootfsPropagation") or "")
        try:
            document = bundles.document(spec, root=root, path=place, cgroup=cgroup.path)
        finally:
            os.close(root)
        _write(f"{own}/config.json", document)
        steps.done("plan")
        made = self._made("create", "--bundle", own, stdio=stdio, steps=steps)
        return made.of(self._program, self._id)

    def execute(
        self,
        process: Process,
        *,
        init_pid: int,
        spec: Spec,
        stdio: Stdio | None,
        cgroup: Cgroup,
        seccomp_cache: str,
    ) -> Made:
        """Start one more process; see :func:`wharf.runtime.execution.execute`."""
        del spec, cgroup, seccomp_cache
        root = os.open(f"/proc/{init_pid}/root", _FOLDER)
        try:
            document = bundles.process(process, root)
        finally:
            os.close(root)
        self._execs += 1
        path = f"{self._folder}/exec-{self._execs}.json"
        _write(path, document)
        try:
            return self._made("exec", "--detach", "--process", path, stdio=stdio, steps=Steps())
        finally:
            os.unlink(path)

    def dump(self, spec: Spec, pid: int, wanted: Wanted, *, freezer: str) -> None:
        """Refuse: our own runtime saves containers.

        Raises:
            StartFailed: always.
        """
        del spec, pid, wanted, freezer
        raise self._cannot("save a container")

    def restore(self, *_: object, **__: object) -> NoReturn:
        """Refuse, as :meth:`dump` does.

        Raises:
            StartFailed: always.
        """
        raise self._cannot("bring a saved container back")

    def _cannot(self, what: str) -> Exception:
        return invalid(f"{self._program.path} cannot {what} here: that needs wharf's own runtime")

    def _made(self, *words: str, stdio: Stdio | None, steps: Steps) -> Made:
        """Run a command that makes a process, and return that."""
        pid_file = f"{self._folder}/runtime.pid"
        console = _Console(self._folder) if stdio is None else None
        try:
            more = () if console is None else ("--console-socket", console.path)
            self._program.run(*words, "--pid-file", pid_file, *more, self._id, stdio=stdio)
            pid, process = self._named(pid_file, words[0])
            try:
                os.unlink(pid_file)
                master = None if console is None else console.received()
            except BaseException:  # nobody else knows of it
                signal.pidfd_send_signal(process, signal.SIGKILL)
                os.close(process)
                raise
        finally:
            if console is not None:
                console.close()
        steps.done(words[0])
        return Made(pid, process, master, steps)

    def _named(self, pid_file: str, command: str) -> tuple[int, int]:
        """Return the process that the runtime says it has made, and a descriptor of it.

        Raises:
            StartFailed: there is none.
        """
        try:
            with open(pid_file, encoding="ascii") as file:
                pid = int(file.read())
            return pid, os.pidfd_open(pid)
        except (OSError, ValueError) as error:
            name = os.path.basename(self._program.path)
            raise StartFailed("other", f"{name} {command}: it has not said which process it made") from error


class _Console:
    """A socket that takes a terminal's master from a runtime (runc, docs/terminals.md)."""

    def __init__(self, folder: str) -> None:
        # By our descriptor of the folder, whose own name may be longer than a socket's address.
        self._folder = os.open(folder, _FOLDER)
        self.path = f"/proc/{os.getpid()}/fd/{self._folder}/console.sock"
        self._listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen(1)
        self._listener.setblocking(False)  # noqa: FBT003 - its own signature

    def received(self) -> int:
        """Return the master, which was sent before the command ended.

        Raises:
            StartFailed: there is none.
        """
        try:
            peer = unix_socket.accept(self._listener)
            try:
                _, ancillary, _, _ = peer.recvmsg(_CONSOLE_BYTES, unix_socket.space_of(1))
            finally:
                peer.close()
            (master,) = unix_socket.descriptors(ancillary)
        except (OSError, ValueError) as error:
            raise StartFailed("other", "the runtime has sent no terminal") from error
        os.set_inheritable(master, False)  # noqa: FBT003 - its own signature
        return master

    def close(self) -> None:
        """Take it away."""
        self._listener.close()
        os.unlink(self.path)
        os.close(self._folder)


def _mounted(mounts: list[RootfsMount], place: str, propagation: str) -> int:
    """Mount a container's root in a mount namespace of this process's own; return a descriptor of it."""
    try:
        namespace.unshare(_NEWNS)
    except OSError as error:
        raise StartFailed("other", f"no mount namespace for the root: {error.strerror}") from error
    return rootfs.make(rootfs.plan(place, mounts, propagation))


def _write(path: str, document: dict[str, Any]) -> None:
    with open(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(light_json.dumps(document))
