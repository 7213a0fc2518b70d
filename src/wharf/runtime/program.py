"""Finding the executable as a shell would, and saying what is wrong with it in the words of runc."""

from __future__ import annotations

import errno
import os
import stat

from wharf.runtime.errors import StartFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, NoReturn

    from wharf.runtime.errors import Kind

_MOST_INTERPRETERS: Final = 5  # as many as the kernel follows (binfmt_script)
_SHEBANG_BYTES: Final = 256
_KIND_OF: Final[dict[int, Kind]] = {
    errno.ENOENT: "not-found",
    errno.ENOTDIR: "not-executable",
    errno.EACCES: "not-executable",
    errno.EISDIR: "not-executable",
}


def find(name: str, search_path: str, host_interpreter: tuple[int, int]) -> str:
    """Return the path of the program ``name`` in the present root.

    Args:
        name: argv[0]; with a slash in it, it is the path.
        search_path: PATH of the container's environment.
        host_interpreter: (device, inode) of what we run on: it must never be executed from a container, whose
            processes could then write to it (the family of CVE-2019-5736).

    Raises:
        StartFailed: not found, or not executable.
    """
    path = name if "/" in name else _search(name, search_path)
    try:
        _check(path)
    except OSError as error:
        _refuse(name, path, error)
    _refuse_host_interpreter(path, host_interpreter)
    return path


def _search(name: str, search_path: str) -> str:
    for folder in search_path.split(":"):
        path = f"{folder or '.'}/{name}"
        try:
            _check(path)
        except OSError:
            continue
        return path
    message = f'unable to start container process: exec: "{name}": executable file not found in $PATH'
    raise StartFailed("not-found", message)


def _check(path: str) -> None:
    if stat.S_ISDIR(os.stat(path).st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(path, os.X_OK, effective_ids=True):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _refuse(name: str, path: str, error: OSError) -> NoReturn:
    number = error.errno or 0
    reason = os.strerror(number).lower()
    if number not in (errno.EISDIR, errno.EACCES):
        reason = f"stat {path}: {reason}"
    message = f'unable to start container process: exec: "{name}": {reason}'
    raise StartFailed(_kind(number), message) from error


def _kind(number: int) -> Kind:
    return _KIND_OF.get(number, "other")


def exec_failed(path: str, error: OSError) -> StartFailed:
    """Return the error of an execve that failed although the file was there."""
    number = error.errno or 0
    reason = os.strerror(number).lower()
    return StartFailed(_kind(number), f"unable to start container process: exec {path}: {reason}")


def _refuse_host_interpreter(path: str, host_interpreter: tuple[int, int]) -> None:
    for _ in range(_MOST_INTERPRETERS):
        status = os.stat(path)
        if (status.st_dev, status.st_ino) == host_interpreter:
            message = f'unable to start container process: exec: "{path}": it is the host\'s interpreter'
            raise StartFailed("not-executable", message)
        interpreter = _shebang(path)
        if interpreter is None:
            return
        path = interpreter


def _shebang(path: str) -> str | None:
    """Return the interpreter of a script, when there is one that exists."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None  # executable but not readable: then no script either
    try:
        start = os.read(fd, _SHEBANG_BYTES)
    finally:
        os.close(fd)
    if not start.startswith(b"#!"):
        return None
    words = start[2:].split(b"\n", 1)[0].split()
    interpreter = os.fsdecode(words[0]) if words else ""
    return interpreter if interpreter and os.path.exists(interpreter) else None
