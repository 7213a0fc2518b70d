"""docker exec: one more process in a running container."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import suppress
from dataclasses import dataclass, field

from wharf.engine.containers import refusals
from wharf.engine.containers.attach import AttachedStream, stream_pair
from wharf.engine.containers.attributes import publish
from wharf.engine.containers.filesystem import open_for_reading
from wharf.engine.containers.owner import owner
from wharf.engine.containers.record import Container
from wharf.engine.containers.state import require
from wharf.engine.context import Context
from wharf.engine.documents import held
from wharf.engine.ocispec import process as processes
from wharf.errors import Conflict, InvalidArgument, NotFound
from wharf.lib.detach_keys import parse_detach_keys
from wharf.processes.processes import ProcessFailed
from wharf.processes.shim import KILLED
from wharf.spec.engine_api.exec import ExecConfig
from wharf.spec.oci_runtime import Process
from wharf.spec.shim_messages import Attachment

_KEPT_ENDED = 1000  # clients ask for the exit code of what has just ended
_NUMBERS = re.compile(r"[0-9]+(:[0-9]+)?")  # of a user and a group, which need no names


@dataclass(slots=True, eq=False)
class Exec:
    """One exec: made, then started once; forgotten with its container."""

    id: str
    container: Container
    config: ExecConfig
    pid: int = 0
    started: bool = False
    running: bool = False
    exit_code: int | None = None
    console_size: list[int] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    outcome: asyncio.Future[int] | None = None  # the exit code to come, once it runs

    def note_end(self) -> None:
        """Record the exit if the shim has told it: a client asks as soon as its stream is over."""
        if self.running and self.outcome is not None and self.outcome.done() and not self.outcome.cancelled():
            self.exit_code, self.running = self.outcome.result(), False


class Execs:
    """The execs of one engine; they live in memory, as Docker's do."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._by_id: dict[str, Exec] = {}

    async def create(self, ref: str, document: ExecConfig) -> str:
        """Prepare a process in a running container and return the exec's id.

        Raises:
            Conflict: the container does not run, or is paused.
            InvalidArgument: there is no command, the keys or variables are malformed, or the container has no such
                user or group.
        """
        container = self._context.registry.resolve(ref)
        asked = held(document, ExecConfig, "an exec's request")
        config: ExecConfig = {k: v for k, v in asked.items() if v is not None}  # type: ignore[assignment]
        if not config.get("Cmd"):
            raise InvalidArgument("No exec command specified")
        parse_detach_keys(config.get("DetachKeys"))
        require("exec", container.state, container_id=container.id, name=container.name)
        if (user := config.get("User")) and not _NUMBERS.fullmatch(user):
            await _require_user(self._context, container, user)
        made = Exec(self._context.new_id(), container, config)
        self._forget_dead()
        self._by_id[made.id] = made
        container.exec_ids.append(made.id)
        publish(self._context, container, f"exec_create: {' '.join(config.get('Cmd') or [])}", execID=made.id)
        return made.id

    async def start(
        self, exec_id: str, *, detach: bool, tty: bool, console_size: list[int] | None
    ) -> AttachedStream | None:
        """Start an exec; its streams come back unless ``detach``.

        Raises:
            NotFound: there is no such exec.
            Conflict: it was started before, or its container does not run.
            InvalidArgument: its command cannot be executed.
        """
        del tty  # decided by create; clients repeat it here
        chosen = self._resolve(exec_id)
        container = chosen.container
        if chosen.started:
            raise Conflict(f"exec command {exec_id} {'is already running' if chosen.running else 'has already run'}")
        require("exec", container.state, container_id=container.id, name=container.name)
        chosen.started, chosen.console_size = True, console_size
        if detach:
            await self._run(chosen, None, None)
            return None
        ours, theirs = stream_pair()
        try:
            with theirs:
                await self._run(chosen, _attachment(chosen.config), theirs)
        except BaseException:
            ours.close()
            raise
        return AttachedStream(ours, bool(chosen.config.get("Tty")))

    async def _run(self, chosen: Exec, attachment: Attachment | None, stream: socket.socket | None) -> None:
        container = chosen.container
        if (shim := container.shim) is None:
            raise Conflict(f"container {container.id} is not running")
        command = " ".join(chosen.config.get("Cmd") or [])
        publish(self._context, container, f"exec_start: {command}", execID=chosen.id)
        try:
            chosen.pid = await shim.exec(
                {"exec_id": chosen.id, "process": self._process(chosen), "attachment": attachment}, stream
            )
        except ProcessFailed as error:
            refusal = refusals.of_exec(error.message)
            found = refusal.exit_code == refusals.NOT_STARTED
            chosen.exit_code = refusals.NOT_EXECUTABLE if found else refusal.exit_code
            chosen.ended.set()
            raise refusal.error() from error
        chosen.running, chosen.outcome = True, shim.exec_exited(chosen.id)
        self._context.background.start(self._see_to_its_end(chosen, chosen.outcome), f"exec {chosen.id[:12]}")

    async def _see_to_its_end(self, chosen: Exec, outcome: asyncio.Future[int]) -> None:
        await outcome
        chosen.note_end()
        chosen.ended.set()
        publish(self._context, chosen.container, "exec_die", execID=chosen.id, exitCode=str(chosen.exit_code))

    def _process(self, chosen: Exec) -> Process:
        spec, config = chosen.container.spec, chosen.config
        own = processes.of_exec(spec.config, spec.host_config, config, self._context.facts)
        size = chosen.console_size or config.get("ConsoleSize")
        if own.get("terminal") and size and len(size) == 2 and all(size):
            own["consoleSize"] = {"height": size[0], "width": size[1]}
        return own

    async def wait(self, exec_id: str) -> int:
        """Return the exit code of an exec that was started, once it has ended; 137 when its container ended first."""
        chosen = self._resolve(exec_id)
        await chosen.ended.wait()
        return KILLED if chosen.exit_code is None else chosen.exit_code

    async def kill(self, exec_id: str, number: int) -> None:
        """Send a signal to an exec's process; none when it has ended."""
        chosen = self._resolve(exec_id)
        if chosen.running and chosen.container.shim is not None:
            with suppress(Conflict):  # it has just ended
                await chosen.container.shim.exec_kill(exec_id, number)

    async def inspect(self, exec_id: str) -> dict[str, object]:
        """Return an exec as the Engine API shows it."""
        chosen = self._resolve(exec_id)
        chosen.note_end()
        config, command = chosen.config, chosen.config.get("Cmd") or []
        return {
            "ID": chosen.id,
            "Running": chosen.running,
            "ExitCode": chosen.exit_code,
            "ProcessConfig": {
                "tty": bool(config.get("Tty")),
                "entrypoint": command[0],
                "arguments": command[1:],
                "privileged": bool(config.get("Privileged")),
                **({"user": user} if (user := config.get("User")) else {}),
            },
            "OpenStdin": bool(config.get("AttachStdin")),
            "OpenStderr": bool(config.get("AttachStderr")),
            "OpenStdout": bool(config.get("AttachStdout")),
            "CanRemove": chosen.ended.is_set(),
            "ContainerID": chosen.container.id,
            "DetachKeys": config.get("DetachKeys") or "",
            "Pid": chosen.pid,
        }

    async def resize(self, exec_id: str, *, rows: int, columns: int) -> None:
        """Set the size of an exec's terminal.

        Raises:
            Conflict: it does not run.
        """
        chosen = self._resolve(exec_id)
        if not chosen.running or chosen.container.shim is None:
            raise Conflict(f"cannot resize exec {exec_id}: it is not running")
        await chosen.container.shim.exec_resize(chosen.id, rows, columns)

    def live_of(self, container: Container) -> list[str]:
        """Return the ids of a container's running execs."""
        return [i for i in container.exec_ids if (e := self._by_id.get(i)) and e.running]

    def _resolve(self, exec_id: str) -> Exec:
        if (chosen := self._by_id.get(exec_id)) is None:
            raise NotFound(f"No such exec instance: {exec_id}")
        return chosen

    def _forget_dead(self) -> None:
        """Drop what nobody asks for any more, so that memory does not grow with every exec ever made.

        That is the execs of containers that are gone, and of those that have ended all but the last some.
        """
        for exec_id, one in list(self._by_id.items()):
            if one.container.id not in self._context.registry:
                del self._by_id[exec_id]
        ended = [exec_id for exec_id, one in self._by_id.items() if one.ended.is_set()]
        for exec_id in ended[:-_KEPT_ENDED]:
            container = self._by_id.pop(exec_id).container
            container.exec_ids.remove(exec_id)
            if container.shim is not None:
                container.shim.forget_exec(exec_id)


def _attachment(config: ExecConfig) -> Attachment:
    attachment: Attachment = {
        "stdin": bool(config.get("AttachStdin")),
        "stdout": bool(config.get("AttachStdout")),
        "stderr": bool(config.get("AttachStderr")),
    }
    if config.get("Tty") and config.get("AttachStdin"):
        attachment["detach_keys"] = parse_detach_keys(config.get("DetachKeys"))
    return attachment


async def _require_user(context: Context, container: Container, user: str) -> None:
    """Raise InvalidArgument when a container has no user of that name; it is looked up again at the start."""
    root = await open_for_reading(context, container)
    try:
        owner(root.fd, user)
    finally:
        root.close()
