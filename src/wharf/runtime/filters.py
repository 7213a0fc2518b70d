"""Compiled seccomp filters, kept in a folder by the digest of their document: compiling is dear."""

from __future__ import annotations

import errno
import os

from wharf.kernel.libc import suppress_errno
from wharf.lib import light_json
from wharf.runtime.errors import StartFailed, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.spec.oci_runtime import Seccomp

    Filter = tuple[bytes, int]
    """BPF program (empty: none) and flags of seccomp(2)."""

_OTHERS_WRITE = 0o022
_SUFFIX = ".newer.bpf"  # how it is compiled
_MOST_KEPT = 64


def load(document: Seccomp | None, cache: str | None) -> Filter:
    """Return (BPF program, flags) of an OCI seccomp document; an empty program when there is none.

    Args:
        document: ``linux.seccomp``.
        cache: folder to find it in and to leave it in; made if missing, and not used if others can write to it.

    Raises:
        StartFailed: the document is wrong, or libseccomp is missing.
    """
    if not document:
        return b"", 0
    from wharf.kernel import seccomp  # noqa: PLC0415 - start-up

    try:
        flags = seccomp.flags_of(document)
        if cache is None:
            return seccomp.compile_filter(document), flags
        return _cached(document, cache), flags
    except ValueError as error:
        raise invalid(str(error)) from error
    except OSError as error:
        raise StartFailed("other", f"unable to start container process: {error.strerror or error}") from error


def _cached(document: Seccomp, cache: str) -> bytes:
    # Not hashlib, which brings OpenSSL: start-up, and memory of every shim's zygote.
    from _blake2 import blake2b  # noqa: PLC0415 - start-up

    name = blake2b(light_json.dumps(document).encode(errors="surrogatepass"), digest_size=32).hexdigest() + _SUFFIX
    folder = _open_own(cache)
    try:
        program = _read(folder, name)
        if program is None:
            from wharf.kernel import seccomp  # noqa: PLC0415 - the same

            program = seccomp.compile_filter(document)
            _keep(folder, name, program)
        return program
    finally:
        if folder != -1:
            os.close(folder)


def _open_own(path: str) -> int:
    """Open a folder, made if missing, that nobody but us can write to; -1: it is not so, and is not used."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # a file, a link, a read-only disk: to compile once more only takes time
        return -1
    status = os.fstat(fd)
    if status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_WRITE:
        return fd
    os.close(fd)
    return -1


def _read(folder: int, name: str) -> bytes | None:
    if folder == -1:
        return None
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    with open(fd, "rb", buffering=0) as file:
        return file.read()


def _keep(folder: int, name: str, program: bytes) -> None:
    """Write a program, whole or not at all; profiles that nobody has asked for lately may go for it."""
    if folder == -1:
        return
    temporary = f"{name}.{os.getpid()}"
    try:
        if len(present := os.listdir(folder)) >= _MOST_KEPT:
            for old in present:
                with suppress_errno(errno.ENOENT):  # another was faster
                    os.unlink(old, dir_fd=folder)
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
        with open(fd, "wb") as file:
            file.write(program)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:  # the disk is full, or another of our id writes the same: the program is at hand all the same
        with suppress_errno(errno.ENOENT, errno.EROFS):
            os.unlink(temporary, dir_fd=folder)
