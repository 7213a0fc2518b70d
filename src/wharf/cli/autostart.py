"""Start the engine in the background, once, for the first command that needs it."""

from __future__ import annotations

import fcntl
import os
import select
import sys
import time

from wharf.client.errors import EngineUnreachable
from wharf.lib.places import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.client.client import Client

RUN_FOLDER = places(os.geteuid(), os.environ).run_root
LOG = f"{RUN_FOLDER}/wharfd.log"
LOCK = f"{RUN_FOLDER}/autostart.lock"
_PATIENCE_S = 30.0


def start_engine(client: Client) -> None:
    """Start ``wharfd`` in a session of its own and return when it answers ``client``.

    A lock lets one of several commands do it; the others wait and find it there.

    Raises:
        EngineUnreachable: it cannot be started; the message says why and where its log is.
    """
    try:
        os.makedirs(RUN_FOLDER, mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
        lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        hint = "" if os.geteuid() == 0 else " (set XDG_RUNTIME_DIR to a folder of your own, or WHARF_HOST)"
        reason = (error.strerror or "").lower()
        raise EngineUnreachable(
            f"no engine runs, and one cannot be started: {error.filename}: {reason}{hint}"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _answers(client):
            sys.stderr.write(f"wharf: no engine is running: starting one in the background (log: {LOG})\n")
            sys.stderr.flush()
            _wait_for(client, _spawn(engine_program()))
    finally:
        os.close(lock)


def _answers(client: Client) -> bool:
    try:
        client.ping()
    except (EngineUnreachable, ConnectionError):  # nobody listens, or who does has just given up
        return False
    return True


def engine_program() -> str:
    """Return the path of wharfd: beside this command, else on PATH."""
    beside = os.path.dirname(os.path.realpath(sys.argv[0]))
    for folder in (beside, os.path.dirname(sys.executable), *os.get_exec_path()):
        path = os.path.join(folder, "wharfd")
        if os.access(path, os.X_OK):
            return path
    raise EngineUnreachable("no engine runs, and wharfd is not installed beside wharf or on PATH")


def _spawn(program: str) -> int:
    """Exec ``program`` in a new session, output to the log; return a pidfd of it, owned by the caller.

    Forked twice, so that the engine is no child of ours and can never get a terminal.
    """
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            grandchild = os.fork()
            if grandchild:
                os.write(writer, str(grandchild).encode())
                os._exit(0)
            _become(program, log)
        except OSError as error:
            os.write(log, f"{program} cannot be run: {error.strerror}\n".encode())
        finally:
            os._exit(127)
    os.close(writer)
    os.close(log)
    pid = os.read(reader, 16)
    os.close(reader)
    os.waitpid(child, 0)
    if not pid:
        raise EngineUnreachable("no engine runs, and a process for one could not be made")
    try:
        return os.pidfd_open(int(pid))
    except ProcessLookupError:
        raise EngineUnreachable(f"the engine stopped at once: {_last_words()} (log: {LOG})") from None


def _become(program: str, log: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir("/")
    os.umask(0o022)
    os.execv(program, [program])  # noqa: S606  # no shell is meant


def _wait_for(client: Client, engine: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    poll = select.poll()
    poll.register(engine, select.POLLIN)
    try:
        while time.monotonic() < deadline:
            if _answers(client):
                return
            if poll.poll(20):  # milliseconds; the engine has ended when its pidfd is readable
                raise EngineUnreachable(f"the engine could not start: {_last_words()} (log: {LOG})")
    finally:
        os.close(engine)
    raise EngineUnreachable(f"the engine does not answer after {_PATIENCE_S:.0f} seconds (log: {LOG})")


def _last_words() -> str:
    with open(LOG, "rb") as log:
        log.seek(max(0, os.fstat(log.fileno()).st_size - 4096))
        lines = [line for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
