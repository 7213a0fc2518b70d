"""bpf(2), as far as programs of control groups go: load, attach, find and replace."""

from __future__ import annotations

import errno
import os

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_PROG_LOAD: Final = 5
_PROG_ATTACH: Final = 8
_PROG_GET_FD_BY_ID: Final = 13
_OBJ_GET_INFO_BY_FD: Final = 15
_PROG_QUERY: Final = 16
_CGROUP_DEVICE_PROGRAM: Final = 15
_CGROUP_DEVICE_ATTACH: Final = 6
_ALLOW_MULTI: Final = 2
_REPLACE: Final = 4
_INSTRUCTION_BYTES: Final = 8
_LOG_BYTES: Final = 1 << 16
_MOST_PROGRAMS: Final = 64
_NAME: Final = b"wharf_devices"
_NAME_OFFSET: Final = 64  # in struct bpf_prog_info
_INFO_BYTES: Final = 80


class _Load(ctypes.Structure):
    _fields_ = (
        ("prog_type", ctypes.c_uint32),
        ("insn_cnt", ctypes.c_uint32),
        ("insns", ctypes.c_uint64),
        ("license", ctypes.c_uint64),
        ("log_level", ctypes.c_uint32),
        ("log_size", ctypes.c_uint32),
        ("log_buf", ctypes.c_uint64),
        ("kern_version", ctypes.c_uint32),
        ("prog_flags", ctypes.c_uint32),
        ("prog_name", ctypes.c_char * 16),
    )


class _Attach(ctypes.Structure):
    _fields_ = (
        ("target_fd", ctypes.c_uint32),
        ("attach_bpf_fd", ctypes.c_uint32),
        ("attach_type", ctypes.c_uint32),
        ("attach_flags", ctypes.c_uint32),
        ("replace_bpf_fd", ctypes.c_uint32),
    )


class _Query(ctypes.Structure):
    _fields_ = (
        ("target_fd", ctypes.c_uint32),
        ("attach_type", ctypes.c_uint32),
        ("query_flags", ctypes.c_uint32),
        ("attach_flags", ctypes.c_uint32),
        ("prog_ids", ctypes.c_uint64),
        ("prog_cnt", ctypes.c_uint32),
    )


class _Info(ctypes.Structure):
    _fields_ = (("bpf_fd", ctypes.c_uint32), ("info_len", ctypes.c_uint32), ("info", ctypes.c_uint64))


class _Id(ctypes.Structure):
    _fields_ = (("id", ctypes.c_uint32), ("next_id", ctypes.c_uint32), ("open_flags", ctypes.c_uint32))


_bpf = libc.syscall((321, 280), ctypes.c_int, ctypes.c_void_p, ctypes.c_uint)


def _call(command: int, attributes: ctypes.Structure) -> int:
    return _bpf(command, ctypes.addressof(attributes), ctypes.sizeof(attributes))


def load_device_program(code: bytes) -> int:
    """Return a descriptor, owned by the caller, of a program for devices.

    Raises:
        OSError: EPERM without CAP_BPF (or CAP_SYS_ADMIN), EINVAL or EACCES with what the verifier said.
    """
    text, log, license_ = ctypes.create_string_buffer(code), ctypes.create_string_buffer(_LOG_BYTES), b"GPL\0"
    terms = ctypes.create_string_buffer(license_)
    attributes = _Load(
        prog_type=_CGROUP_DEVICE_PROGRAM,
        insn_cnt=len(code) // _INSTRUCTION_BYTES,
        insns=ctypes.addressof(text),
        license=ctypes.addressof(terms),
        prog_name=_NAME,
    )
    try:
        return _call(_PROG_LOAD, attributes)
    except OSError as error:
        if error.errno == errno.EPERM:
            raise
    attributes.log_level, attributes.log_size, attributes.log_buf = 1, _LOG_BYTES, ctypes.addressof(log)
    try:
        return _call(_PROG_LOAD, attributes)  # again, for the reason
    except OSError as error:
        number = error.errno or errno.EINVAL
        raise OSError(number, f"{os.strerror(number)}: {log.value.decode(errors='replace').strip()}") from error


def attach_device_program(group_fd: int, program_fd: int) -> None:
    """Make a program ours in a control group, in place of an earlier one; those of others stay, and all must agree.

    Raises:
        OSError: EPERM; EINVAL: not a group of v2.
    """
    attributes = _Attach(
        target_fd=group_fd,
        attach_bpf_fd=program_fd,
        attach_type=_CGROUP_DEVICE_ATTACH,
        attach_flags=_ALLOW_MULTI,
    )
    before = _own_program(group_fd)
    if before is None:
        _call(_PROG_ATTACH, attributes)
        return
    try:
        attributes.attach_flags |= _REPLACE  # Linux 5.6
        attributes.replace_bpf_fd = before
        _call(_PROG_ATTACH, attributes)
    finally:
        os.close(before)


def _own_program(group_fd: int) -> int | None:
    """Return a descriptor of the program of ours that a group has, by its name."""
    ids = (ctypes.c_uint32 * _MOST_PROGRAMS)()
    query = _Query(
        target_fd=group_fd,
        attach_type=_CGROUP_DEVICE_ATTACH,
        prog_ids=ctypes.addressof(ids),
        prog_cnt=_MOST_PROGRAMS,
    )
    _call(_PROG_QUERY, query)
    for number in ids[: query.prog_cnt]:
        fd = _call(_PROG_GET_FD_BY_ID, _Id(id=number))
        if _name_of(fd) == _NAME:
            return fd
        os.close(fd)
    return None


def _name_of(program_fd: int) -> bytes:
    info = ctypes.create_string_buffer(_INFO_BYTES)
    _call(_OBJ_GET_INFO_BY_FD, _Info(bpf_fd=program_fd, info_len=_INFO_BYTES, info=ctypes.addressof(info)))
    return info.raw[_NAME_OFFSET:].partition(b"\0")[0]
