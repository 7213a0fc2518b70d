"""CRIU, which saves running processes into files and brings them back (criu(8), its images/rpc.proto).

One program for each task, spoken to over a SEQPACKET socket it inherits (``criu swrk``). It asks back at certain
moments, with descriptors sometimes: see :class:`Notice`. What it restores becomes a child of ours, not of its own.
"""

from __future__ import annotations

import _socket as socket
import fcntl
import os

from wharf.errors import Unavailable
from wharf.kernel import unix_socket
from wharf.kernel.clone import clone3
from wharf.kernel.signals import raw as signal
from wharf.lib import protobuf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Final, NoReturn

    Options = Mapping[str, Any]
    """criu_opts by name: numbers, texts, lists of them, and of pairs (a message of two fields, None for none)."""

    Notify = Callable[["Notice"], None]

_TYPES: Final = {"dump": 1, "restore": 2, "check": 3, "pre-dump": 4, "feature-check": 9, "version": 10}
_NOTIFY: Final = 6
_FIELDS: Final = {
    "images_dir_fd": 1,
    "pid": 2,
    "leave_running": 3,
    "ext_unix_sk": 4,
    "tcp_established": 5,
    "evasive_devices": 6,
    "shell_job": 7,
    "file_locks": 8,
    "log_level": 9,
    "log_file": 10,
    "ps": 11,
    "notify_scripts": 12,
    "root": 13,
    "parent_img": 14,
    "track_mem": 15,
    "auto_dedup": 16,
    "work_dir_fd": 17,
    "link_remap": 18,
    "ext_mnt": 23,
    "manage_cgroups": 24,
    "cg_root": 25,
    "rst_sibling": 26,
    "inherit_fd": 27,
    "manage_cgroups_mode": 34,
    "external": 37,
    "empty_ns": 38,
    "join_ns": 39,
    "freeze_cgroup": 44,
    "tcp_skip_in_flight": 46,
    "lazy_pages": 48,
    "orphan_pts_master": 50,
    "config_file": 51,
    "lsm_profile": 53,
    "lsm_mount_context": 63,
    "network_lock": 64,
}
CGROUP_MODES: Final = {"ignore": 0, "none": 1, "props": 2, "soft": 3, "full": 4, "strict": 5}
LOCK_BY_NFTABLES: Final = 2
LOCK_NOTHING: Final = 3
PROGRAM: Final = "criu"
FIRST_FD: Final = 4
"""The first of the descriptors that CRIU is handed beside its streams and its socket."""

_SOCKET_FD: Final = 3
_HIGH_FD: Final = 200
_LONGEST_BYTES: Final = 64 * 1024
_NOT_EXECUTED: Final = 127


class Notice:
    """A moment CRIU tells of, such as "post-restore" or "orphan-pts-master", and waits until it was heard.

    Attributes:
        name: its name.
        pid: the restored init's, where it is known; else 0.
        fds: descriptors that came with it, owned by the receiver.
    """

    __slots__ = ("fds", "name", "pid")

    def __init__(self, name: str, pid: int, fds: list[int]) -> None:
        self.name = name
        self.pid = pid
        self.fds = fds


class Failed(Exception):
    """CRIU could not do it; ``message`` says what it said."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def find(program: str = PROGRAM) -> str:
    """Return the path of the program: of a name, where it is in PATH.

    Raises:
        Unavailable: it is not there, or nothing that can be executed.
    """
    folders = os.environ.get("PATH", os.defpath).split(":")
    for path in [program] if "/" in program else [f"{folder}/{program}" for folder in folders]:
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise Unavailable(f"{program} is not installed")


def ask(  # noqa: PLR0913 - all but three by keyword
    what: str,
    options: Options,
    folders: tuple[str, str],
    *,
    program: str = PROGRAM,
    notify: Notify | None = None,
    stdio: tuple[int, int, int] | None = None,
    fds: Sequence[int] = (),
    prepare: Callable[[], None] | None = None,
    cgroup_fd: int | None = None,
) -> int:
    """Have CRIU do one thing; return the pid of what it restored, else 0. Blocking.

    Args:
        what: "dump", "pre-dump", "restore", "check".
        options: by the names of rpc.proto, but for the folders.
        folders: of the files, and of the log.
        program: CRIU's name or path.
        notify: is told of moments; what it raises ends the task.
        stdio: CRIU's streams; None: /dev/null, and our standard error.
        fds: what else it gets, from :data:`FIRST_FD` on.
        prepare: is called in its process before it is executed.
        cgroup_fd: as for :func:`wharf.kernel.clone.clone3`.

    Raises:
        Unavailable: it is not installed.
        Failed: it did not do it.
    """
    path = find(program)
    here, there = unix_socket.pair()
    try:
        pid, pidfd = clone3(0, cgroup_fd=cgroup_fd)
        if pid == 0:
            _become(path, there, (stdio, fds, folders), prepare)
        there.close()
        try:
            number = FIRST_FD + len(fds)
            opened = {"images_dir_fd": number, "work_dir_fd": number + 1}
            client = _received(here)
            try:
                return _converse(client, what, {**opened, **options}, notify)
            finally:
                client.close()
        finally:
            os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
            os.close(pidfd)
    finally:
        here.close()
        there.close()


def _become(
    path: str,
    sock: socket.socket,
    given: tuple[tuple[int, int, int] | None, Sequence[int], tuple[str, str]],
    prepare: Callable[[], None] | None,
) -> NoReturn:
    stdio, fds, folders = given
    try:
        for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if prepare is not None:
            prepare()
        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        opened = [os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) for folder in folders]
        # It reaches the folders by descriptors of who made its socket, and must find them in its own mounts.
        client, server = unix_socket.pair()
        sock.sendmsg([b"socket"], unix_socket.rights([client.fileno()]))
        wanted = [*(stdio or (null, 2, 2)), server.fileno(), *fds, *opened]
        # First out of the way of the numbers they shall have.
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD) for fd in wanted]
        for number, fd in enumerate(high):
            os.dup2(fd, number)
        os.closerange(len(high), _HIGH_FD)
        os.execve(path, ["criu", "swrk", str(_SOCKET_FD)], os.environ)  # noqa: S606 - no shell
    except BaseException as error:  # noqa: BLE001 - this process ends here
        sock.sendall(f"criu could not be started: {error}".encode(errors="replace"))
    os._exit(_NOT_EXECUTED)


def _received(sock: socket.socket) -> socket.socket:
    """Return the socket to CRIU, which its process has made."""
    data, ancillary, _, _ = sock.recvmsg(_LONGEST_BYTES, unix_socket.space_of(1), socket.MSG_CMSG_CLOEXEC)
    fds = unix_socket.descriptors(ancillary)
    if not fds:
        raise Failed(data.decode(errors="replace") or "criu could not be started")
    return socket.socket(fileno=fds[0])


def _converse(sock: socket.socket, what: str, options: Options, notify: Notify | None) -> int:
    sock.sendall(protobuf.encode([(1, _TYPES[what]), (2, encode(options))]))
    while True:
        data, ancillary, _, _ = sock.recvmsg(_LONGEST_BYTES, unix_socket.space_of(1), socket.MSG_CMSG_CLOEXEC)
        if not data:
            raise Failed("criu ended without an answer")
        answer = protobuf.decode(data)
        if not answer.get(2):
            number = _number(answer.get(7, 0))
            said = answer.get(9, b"")
            raise Failed(said.decode(errors="replace") if said and isinstance(said, bytes) else os.strerror(number))
        if answer.get(1) != _NOTIFY:
            return _number(protobuf.decode(_bytes(answer.get(4, b""))).get(1, 0))
        told = protobuf.decode(_bytes(answer.get(5, b"")))
        notice = Notice(
            _bytes(told.get(1, b"")).decode(), _number(told.get(2, 0)), unix_socket.descriptors(ancillary)
        )
        if notify is not None:
            notify(notice)
        sock.sendall(protobuf.encode([(1, _NOTIFY), (3, 1)]))


def encode(options: Options) -> bytes:
    """Return criu_opts as a message."""
    fields: list[tuple[int, int | str | bytes]] = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        fields += [(_FIELDS[name], _pair(one) if isinstance(one, tuple) else one) for one in values]
    return protobuf.encode(fields)


def _pair(pair: tuple[int | str | None, int | str | None]) -> bytes:
    return protobuf.encode([(number, value) for number, value in enumerate(pair, 1) if value is not None])


def _number(value: int | bytes) -> int:
    return value if isinstance(value, int) else 0


def _bytes(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""
