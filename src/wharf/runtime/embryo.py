"""An init that is born before it is known what it will run.

A process is cloned into new namespaces and makes there all that usual containers have alike (:mod:`.prepared`). Given
a container that is like that, what is left to do is little, and done in memory that is this process's own already: a
page that a forked Python shares with its parent until it writes to it costs about 4 µs at that moment.

::

    engine                 parent: the shim         embryo
                           conceive ── clone3 ────▶ namespaces, prepared mounts
                                                    "prepared"
    spawn ───────────────▶ give_document ─────────▶ works out the plan
    (opens what is needed)
    world ───────────────▶ give_world ────────────▶ goes on as every init does (:mod:`.init`)
    groups ──────────────▶ bring_up ── "start" ───▶ enters its control group, and executes the program

The embryo has left the host's mounts: what it needs of them comes to it as descriptors. It is not for containers that
want namespaces it cannot leave or enter by then (``wharf.processes.opening.suits``).
"""

from __future__ import annotations

import errno
import os

from wharf.kernel import keyring, link, unix_socket
from wharf.kernel.clone import clone3
from wharf.kernel.libc import suppress_errno
from wharf.kernel.namespace import FLAG_OF
from wharf.lib import light_json
from wharf.runtime import birth, conversation, handover, init, privileges
from wharf.runtime.birth import Gate
from wharf.runtime.errors import during_init
from wharf.runtime.handover import Document, Groups, World
from wharf.runtime.invocation import Invocation
from wharf.runtime.prepared import Prepared
from wharf.runtime.started import Started
from wharf.runtime.steps import Steps
from wharf.spec import shim_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final, NoReturn

    from wharf.kernel.unix_socket import Socket
    from wharf.runtime.filters import Filter
    from wharf.runtime.init import InitPlan
    from wharf.spec.oci_runtime import Spec
    from wharf.spec.shim_messages import Groups as Made
    from wharf.spec.shim_messages import World as Opened

_NAMESPACES: Final = ("mount", "pid", "network", "ipc", "uts")


class Embryo:
    """A process that waits to become a container's init; its parent holds this."""

    __slots__ = ("_mounts", "_pid", "_pidfd", "_sock")

    def __init__(self, pid: int, pidfd: int, sock: Socket) -> None:
        self._pid = pid
        self._pidfd = pidfd
        self._sock = sock
        # An init that is the last in its mount namespace takes 40 mounts apart, for 2 ms, before its end is seen.
        self._mounts = -1
        with suppress_errno(errno.ENOENT, errno.ESRCH):  # it is dead: who talks to it will be told
            self._mounts = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)

    def give_document(self, bundle: str, config: int) -> None:
        """Let it work out what to do, from the descriptor of config.json, while other things are made ready.

        Raises:
            OSError: it is dead, and nothing of it is left.
            StartFailed: it could not prepare itself; the same.
        """
        try:
            conversation.receive(self._sock)  # "prepared", or the end: then the next is a broken pipe
            handover.send_document(self._sock, bundle, config)
        except BaseException:
            self.discard()
            raise

    def give_world(self, streams: tuple[int, int, int] | None, opened: Opened, fds: Sequence[int]) -> None:
        """Let it become the container's init, as far as that does not depend on its control group.

        Args:
            streams: its 0, 1 and 2, kept open for the caller; None: it opens a terminal.
            opened: what the engine has opened for it.
            fds: the descriptors of that, kept open too.

        Raises:
            OSError: it is dead, and nothing of it is left.
        """
        try:
            handover.send_world(self._sock, streams or (), opened, fds)
        except BaseException:
            self.discard()
            raise

    def bring_up(self, groups: Made, fds: Sequence[int]) -> Started:
        """Let it enter the control group and execute the program; return once it does.

        Args:
            groups: what the engine has made.
            fds: the descriptors of that, kept open for the caller.

        Raises:
            StartFailed: nothing of the process is left then.
        """
        steps = Steps()
        try:
            with suppress_errno(errno.EPIPE, errno.ECONNRESET):  # it has failed; what it said is still to be read
                handover.send_groups(self._sock, groups, fds)
                conversation.send(self._sock, "start")
        except OSError as error:
            self.discard()
            raise during_init(error, "error handing over what the container needs") from error
        steps.done("give")
        unix_socket.wait_for_end(self._sock)  # to be woken by "ready" too would keep it from its exec
        started = self._out(steps)
        started.wait_ready()
        started.wait_executed()
        return started

    def discard(self) -> None:
        """End it, unless it is a container's init by now; idempotent."""
        if self._pidfd != -1:
            self._out(Steps()).abort()

    def _out(self, steps: Steps) -> Started:
        started = Started(self._pid, self._pidfd, self._sock, steps, [])
        started.mounts, self._mounts, self._pidfd = self._mounts, -1, -1
        return started


class Expected:
    """What embryos are made for: containers like ``usual``."""

    __slots__ = ("_filter", "_handled", "_plan", "_seccomp", "_text")

    def __init__(self, usual: Spec, seccomp: Filter) -> None:
        """Plan once what every embryo will do.

        Args:
            usual: config.json of a container without anything special; its root is not looked at.
            seccomp: its compiled filter.

        Raises:
            StartFailed: ``usual`` is not a valid document.
        """
        linux = dict(usual.get("linux") or {})
        self._seccomp = usual["linux"].get("seccomp") if "linux" in usual else None
        linux.pop("seccomp", None)
        self._text = light_json.dumps({**usual, "linux": linux})
        self._filter = seccomp
        self._plan = init.plan(usual, "/", [], seccomp, Invocation())
        self._handled = birth.handled_signals()

    def conceive(self) -> Embryo:
        """Clone an embryo; it dies with the caller, its parent.

        Raises:
            OSError: it cannot be cloned.
        """
        here, there = unix_socket.pair()
        try:
            pid, pidfd = clone3(sum(FLAG_OF[kind] for kind in _NAMESPACES))
            if pid == 0:
                birth.run(lambda: there, lambda: self._live(there))
        except BaseException:
            here.close()
            raise
        finally:
            there.close()
        return Embryo(pid, pidfd, here)

    def _live(self, sock: Socket) -> NoReturn:
        birth.be_born(self._handled, die_with_parent=True)
        birth.close_others((sock.fileno(),))
        os.setsid()
        keyring.join_new_session()
        link.set_loopback_up()
        prepared = Prepared(self._plan)
        # Its memory is at hand when the real one comes.
        self._plan_for(light_json.loads(self._text), "/")  # type: ignore[arg-type]  # it was one
        conversation.send(sock, "prepared")
        self._become(sock, prepared)

    def _plan_for(self, spec: Spec, bundle: str) -> InitPlan:
        return init.plan(spec, bundle, [], self._filter, Invocation())

    def _become(self, sock: Socket, prepared: Prepared) -> NoReturn:
        document = Document(sock)
        steps = Steps()
        plan = self._plan_for(shim_document.read(document.config, self._seccomp), document.bundle)
        plan.process.open()
        steps.done("plan")
        privileges.drop_bounding(plan.process.privileges)
        world = World(sock)
        steps.done("wait")
        world.enter(plan)
        steps.done("enter")
        ready = prepared.for_plan(plan, world.joined)
        groups = Groups(sock)
        plan.mounts = handover.with_groups_last(plan.mounts)
        for one in plan.mounts:
            one.groups = groups.mounts
        init.become(plan, Gate(sock), steps, ready=ready, sysctls_folder=prepared.sysctls, enter_group=groups.enter)
