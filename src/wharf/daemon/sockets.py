"""The sockets the daemon listens on, made so that nobody else's is ever taken or opened to others."""

from __future__ import annotations

import fcntl
import grp
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from wharf.daemon.addresses import TcpAddress, UnixAddress
from wharf.errors import Conflict, InvalidArgument
from wharf.kernel import userns

BACKLOG = 4096
"""Clients that may wait for us to accept them: one too many on a unix socket is turned away (EAGAIN)."""


@contextmanager
def listening(address: UnixAddress | TcpAddress, *, group: str | None) -> Iterator[socket.socket]:
    """Listen on ``address``; a unix socket is removed at the end, if it is still ours.

    Args:
        address: Where.
        group: Who may use a unix socket besides its owner: a name or a number; empty: nobody; None: ``docker``, if
            there is one.

    Raises:
        Conflict: somebody listens there already, or it is not a socket.
        InvalidArgument: there is no such group.
        OSError: the socket cannot be made.
    """
    with ExitStack() as stack:
        if isinstance(address, TcpAddress):
            yield stack.enter_context(_tcp_socket(address))
            return
        gid = _group_id(group)
        made = stack.enter_context(_unix_socket(address, gid))
        stack.callback(_remove, address.path, address.path.lstat().st_ino)
        yield made


def _tcp_socket(address: TcpAddress) -> socket.socket:
    try:
        return socket.create_server(
            (address.host, address.port),
            family=socket.AF_INET6 if ":" in address.host else socket.AF_INET,
            backlog=BACKLOG,
        )
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), str(address)) from error


def _unix_socket(address: UnixAddress, gid: int) -> socket.socket:
    """Bind under a lock of the folder, so that two daemons do not both find the same stale socket."""
    address.path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    folder = os.open(address.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        _clear(address)
        before = os.umask(0o777)  # nobody connects before owner and mode are right
        try:
            made.bind(str(address.path))
        finally:
            os.umask(before)
        os.chown(address.path, 0 if os.geteuid() == 0 else -1, gid)
        address.path.chmod(0o660)
        made.listen(BACKLOG)
    except BaseException:
        made.close()
        raise
    finally:
        os.close(folder)
    return made


def _clear(address: UnixAddress) -> None:
    """Remove a socket that nobody listens on."""
    try:
        mode = address.path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise Conflict(f"cannot listen on {address}: the file exists and is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0)  # a full backlog (EAGAIN) is somebody's too
        try:
            probe.connect(str(address.path))
        except ConnectionRefusedError:
            address.path.unlink()
            return
        except FileNotFoundError:
            return
        except BlockingIOError:
            pass
    raise Conflict(f"cannot listen on {address}: another process listens there already")


def _remove(path: Path, inode: int) -> None:
    with suppress(FileNotFoundError):
        if path.lstat().st_ino == inode:
            path.unlink()


def _group_id(group: str | None) -> int:
    if group == "" or (group is None and (os.geteuid() != 0 or userns.inside())):
        return -1  # only the machine's root may give its socket to a group it is not in
    try:
        if group is None:
            return grp.getgrnam("docker").gr_gid
        return int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
    except KeyError as error:
        if group is None:
            return -1
        raise InvalidArgument(f"group {group} not found") from error
