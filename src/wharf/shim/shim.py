"""One container's life: create, start, serve, record the end, leave.

The shim is forked from the zygote and depends on nobody: engines come and go on its sockets, and its exit.json waits
for the next one. It holds the folder's lock (an inherited descriptor) for as long as it lives.
"""

from __future__ import annotations

import os
import sys
import time

from wharf.kernel import pty
from wharf.kernel.cgroup.group import open_cgroup
from wharf.kernel.signals import raw as signal
from wharf.lib.timestamps import rfc3339_nano
from wharf.runtime.steps import Steps
from wharf.shim import open_files, orders
from wharf.shim.control import Control, Kept, refused
from wharf.shim.ending import empty, exit_code_of, write_exit
from wharf.shim.execs import Execs
from wharf.shim.logfile import LogFile
from wharf.shim.oom import OomWatch
from wharf.shim.orders import Abandoned
from wharf.shim.scope import Within
from wharf.shim.streams import Streams
from wharf.spec import shim_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket as socket
    from collections.abc import Callable
    from typing import Any

    from wharf.kernel.cgroup.group import Cgroup
    from wharf.kernel.cgroup.hierarchy import Hierarchies
    from wharf.runtime.embryo import Embryo
    from wharf.shim.readiness import Readiness
    from wharf.shim.runtime import Runtime, Started, Stdio
    from wharf.spec.oci_runtime import Process, Spec
    from wharf.spec.shim_messages import Event, Exit, Failure, SpawnRequest, World

_LINGER_S = 60.0


class Shim:
    """See the module; :meth:`run` is all there is to call."""

    __slots__ = (
        "_cgroup",
        "_control",
        "_document",
        "_embryo",
        "_ended",
        "_engine",
        "_execs",
        "_kept",
        "_leaving",
        "_loop",
        "_oom",
        "_request",
        "_runtime",
        "_started",
        "_started_at",
        "_steps",
        "_streams",
    )

    def __init__(  # noqa: PLR0917 - what a spare has and what came with the request
        self,
        ready: Readiness,
        request: SpawnRequest,
        control: socket.socket,
        document: int,
        runtime: Runtime,
        embryo: Embryo | None = None,
    ) -> None:
        """Do nothing yet.

        Args:
            ready: this process's loop.
            request: what to run.
            control: to the engine that asked.
            document: descriptor of config.json, kept for execs.
            runtime: makes processes.
            embryo: what may become the container's init; taken over.
        """
        self._document = document
        self._embryo = embryo
        self._steps = Steps()
        self._loop = ready.loop
        ready.on_signal = self._reap
        self._control = Control(self._loop)
        self._kept = Kept()
        self._engine = control
        self._request = request
        self._runtime = runtime
        self._execs = Execs(self._loop, self._execute, runtime.StartFailed, request.get("owner"))
        self._streams: list[Streams] = []  # the container's, then those of execs: all may owe a client something
        self._cgroup: Cgroup | None = None
        self._started: Started | None = None
        self._started_at = ""
        self._ended: int | None = None
        self._oom: OomWatch | None = None
        self._leaving = False

    def run(
        self, attachments: list[socket.socket], hierarchies: Hierarchies | None, begun: Callable[[], None]
    ) -> None:
        """Live the container's life; return when it is over and recorded, or when it could not begin.

        Args:
            attachments: sockets of the request's clients; taken over.
            hierarchies: the mounted control groups, when known.
            begun: called when the start is over, well or not.
        """
        self._cgroup = open_cgroup(self._request["cgroup"], hierarchies)
        try:
            started = self._start(attachments, self._cgroup)
        except Abandoned:
            return  # the engine sees to what it has made
        except self._runtime.StartFailed as failure:
            self._fail({"kind": failure.kind, "message": failure.message})
        except (OSError, ValueError, KeyError, TypeError) as error:  # the bundle, the log, a limit of the kernel's
            self._fail({"kind": "other", "message": _text(error)})
        else:
            self._serve(started)
        finally:
            if self._embryo is not None:
                self._embryo.discard()
                self._embryo = None
        begun()
        self._loop.run()

    def _start(self, attachments: list[socket.socket], cgroup: Cgroup) -> Started:
        request = self._request
        self._tell_embryo(lambda embryo: embryo.give_document(request["bundle"], self._document))
        log = LogFile(request["log"]) if request["log"]["driver"] == "json-file" else None
        streams = Streams(self._loop, log, once=request["stdin_once"], abandoned=cgroup.kill_all)
        self._streams.append(streams)
        for sock, attachment in zip(attachments, request["attachments"], strict=True):
            streams.attach(sock, attachment)
        stdio = None if request["terminal"] else streams.open_pipes(request.get("owner"), stdin=request["open_stdin"])
        self._steps.done("shim")
        world, fds = orders.receive(self._engine, "world")
        self._steps.done("wait")
        try:
            started = self._grow(stdio, world, fds, cgroup) if fds else self._create(stdio, cgroup)
        finally:
            orders.close(fds)
        self._started_at = _now()
        self._steps.done("start")
        if started.console is not None:
            streams.take_terminal(started.console, stdin=request["open_stdin"])
        streams.started()
        return started

    def _tell_embryo(self, tell: Callable[[Embryo], None]) -> None:
        """Let the embryo work while we go on; without one the runtime clones a new process."""
        if self._embryo is None:
            return
        try:
            tell(self._embryo)
        except (OSError, self._runtime.StartFailed) as error:
            sys.stderr.write(f"the embryo is of no use: {error}\n")
            self._embryo = None

    def _grow(self, stdio: Stdio | None, world: World, fds: list[int], cgroup: Cgroup) -> Started:
        """Have the embryo make its world while the engine makes the control group, and become the init."""
        self._tell_embryo(lambda embryo: embryo.give_world(stdio, world, fds))
        groups, doors = orders.receive(self._engine, "groups")
        try:
            if self._embryo is None:
                return self._create(stdio, cgroup)
            self._control.take(self._engine)
            return self._embryo.bring_up(groups, doors)
        finally:
            orders.close(doors)

    def _create(self, stdio: Stdio | None, cgroup: Cgroup) -> Started:
        self._control.take(self._engine)
        if self._embryo is not None:
            self._embryo.discard()
        with Within(self._request, self._read_document, cgroup):
            return self._clone(stdio, cgroup)

    def _clone(self, stdio: Stdio | None, cgroup: Cgroup) -> Started:
        if "checkpoint" in self._request:
            from wharf.shim import saving  # noqa: PLC0415  # memory: few containers are ever saved

            return saving.restore(self._runtime, self._request, self._read_document(), stdio, cgroup)
        started = self._runtime.create(
            self._read_document(),
            bundle=self._request["bundle"],
            rootfs=self._request["rootfs"],
            stdio=stdio,
            cgroup=cgroup,
            seccomp_cache=self._request["seccomp_cache"],
        )
        self._steps.done("create")
        try:
            started.start()
        except BaseException:
            started.abort()
            raise
        return started

    def _read_document(self) -> Spec:
        """Return config.json, read when it is needed: kept, it would take memory all the time."""
        return shim_document.read(self._document)

    def _serve(self, started: Started) -> None:
        self._started, streams = started, self._streams[0]
        self._execs.open_files = open_files.raise_own()
        steps = {**self._steps.us, **{f"create.{name}": us for name, us in started.steps.items()}}
        self._control.publish(
            {"event": "started", "pid": started.pid, "started_at": self._started_at, "steps_us": steps}
        )
        self._control.serve(
            f"{self._request['shim_dir']}/shim.sock",
            {
                "state": lambda _m, _f: dict(self._state()),
                "kill": self._kill,
                "resize": self._resize,
                "attach": self._attach,
                "exec": self._exec,
                "exec-kill": self._exec_kill,
                "exec-resize": self._exec_resize,
                "checkpoint": self._checkpoint,
                "keep": self._kept.keep,
                "delivered": lambda _m, _f: {"held": streams.log_moved()},
                "drain": lambda _m, _f: {"logged": streams.take_in()},
            },
            self._state,
        )
        assert self._cgroup is not None
        self._oom = OomWatch(self._loop, self._cgroup, lambda: self._control.publish({"event": "oom"}))
        self._reap()  # it may be over already

    def _fail(self, failure: Failure) -> None:
        """Record and tell that the container never ran, and leave nothing of it."""
        for streams in self._streams:
            streams.finish()
        if self._cgroup is not None:
            empty(self._cgroup)
        now = _now()
        document: Exit = {
            "pid": 0,
            "exit_code": 128,
            "oom_killed": False,
            "started_at": now,
            "finished_at": now,
            "failure": failure,
        }
        write_exit(self._request["shim_dir"], document)
        self._control.publish({"event": "failed", "failure": failure})
        self._leave()

    def _state(self) -> Event:
        assert self._started is not None
        return {
            "event": "state",
            "pid": self._started.pid,
            "started_at": self._started_at,
            "execs": self._execs.pids,
            "ports": self._kept.names,
        }

    def _reap(self) -> None:
        """Collect every child that has ended: the init, execs, and orphans that came to us as their subreaper."""
        while self._started is not None:
            try:
                status = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG)
            except ChildProcessError:
                break
            if status is None:
                break
            if status.si_pid == self._started.pid:
                self._ended = exit_code_of(status)
                self._kill_strangers()
            elif (exec_id := self._execs.ended(status.si_pid)) is not None:
                # In this order: when its streams end, a client asks for the exit code at once.
                self._control.publish({"event": "exec-exit", "exec_id": exec_id, "exit_code": exit_code_of(status)})
                self._execs.finish(exec_id)
        if self._ended is not None and not self._execs.pids and not self._leaving:
            self._finish(self._ended)

    def _kill_strangers(self) -> None:
        """Without a pid namespace of its own the container's other processes outlive its init."""
        if not self._request["own_pids"] and self._cgroup is not None:
            self._cgroup.kill_all()

    def _finish(self, exit_code: int) -> None:
        assert self._started is not None
        assert self._cgroup is not None
        finished_at = _now()
        self._kept.close()  # before anybody hears of the end, and wants the ports again
        self._streams[0].finish()
        oom_killed = self._oom.look() > 0 if self._oom is not None else False
        document: Exit = {
            "pid": self._started.pid,
            "exit_code": exit_code,
            "oom_killed": oom_killed,
            "started_at": self._started_at,
            "finished_at": finished_at,
        }
        self._control.publish({"event": "exit", "exit": document})
        write_exit(self._request["shim_dir"], document)
        emptied = self._empty()
        self._started.let_mounts_go()  # to unmount an overlay syncs its disk: it takes as long as others write
        if emptied:
            self._control.publish({"event": "released"})
        self._leave()

    def _empty(self) -> bool:
        assert self._cgroup is not None
        try:
            empty(self._cgroup)
        except OSError as error:  # the engine tries again when it sees us end without a word
            sys.stderr.write(f"cannot remove the control group: {error}\n")
            return False
        self._control.publish({"event": "emptied"})
        return True

    def _leave(self) -> None:
        """Stop when no client is owed anything any more."""
        self._leaving = True
        for streams in self._streams:
            streams.on_empty = self._leave_if_empty
        self._loop.later(_LINGER_S, self._loop.stop)
        self._leave_if_empty()

    def _leave_if_empty(self) -> None:
        if all(streams.empty for streams in self._streams):
            self._loop.stop()

    def _execute(self, process: Process, stdio: Stdio | None) -> Started:
        if self._started is None or self._ended is not None:
            raise refused("the container is not running")
        assert self._cgroup is not None
        return self._runtime.execute(
            process,
            init_pid=self._started.pid,
            spec=self._read_document(),
            stdio=stdio,
            cgroup=self._cgroup,
            seccomp_cache=self._request["seccomp_cache"],
        )

    def _kill(self, message: dict[str, Any], _fds: list[int]) -> dict[str, object]:
        assert self._started is not None
        try:
            signal.pidfd_send_signal(self._started.pidfd, message["signal"])
        except ProcessLookupError:
            raise refused("the container is not running") from None
        return {}

    def _resize(self, message: dict[str, Any], _fds: list[int]) -> dict[str, object]:
        if (terminal := self._streams[0].terminal) is not None:
            pty.set_window_size(terminal, message["rows"], message["columns"])
        return {}

    def _attach(self, message: dict[str, Any], fds: list[int]) -> dict[str, object]:
        if (sock := orders.take_socket(fds)) is None:
            raise refused("attach brings no socket")
        self._streams[0].attach(sock, message["attachment"])
        return {}

    def _exec(self, message: dict[str, Any], fds: list[int]) -> dict[str, object]:
        if self._leaving:
            raise refused("the container is not running")
        pid, streams = self._execs.start(message["exec"], orders.take_socket(fds))
        self._streams = [self._streams[0], *(s for s in self._streams[1:] if not s.empty), streams]
        return {"pid": pid}

    def _checkpoint(self, message: dict[str, Any], _fds: list[int]) -> dict[str, object]:
        """Save the container; nothing else is answered meanwhile, for it stands still."""
        if self._started is None or self._ended is not None or self._cgroup is None:
            raise refused("the container is not running")
        from wharf.shim import saving  # noqa: PLC0415  # see _create

        saving.save(self._runtime, self._read_document(), self._started.pid, self._cgroup, message)
        return {}

    def _exec_kill(self, message: dict[str, Any], _fds: list[int]) -> dict[str, object]:
        self._execs.kill(message["exec_id"], message["signal"])
        return {}

    def _exec_resize(self, message: dict[str, Any], _fds: list[int]) -> dict[str, object]:
        self._execs.resize(message["exec_id"], message["rows"], message["columns"])
        return {}


def _now() -> str:
    return rfc3339_nano(time.time_ns())


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, OSError) else f"the bundle is malformed: {error!r}"
