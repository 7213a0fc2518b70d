"""seccomp(2): install filters, and compile an OCI seccomp document with libseccomp (seccomp_rule_add(3)).

Compiling takes tens of milliseconds (docs/decisions/libseccomp.md): callers keep the result.
"""

from __future__ import annotations

import errno
import os

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final


class FilterFlag:
    """SECCOMP_FILTER_FLAG_*, named as the runtime specification names them."""

    TSYNC = 1
    LOG = 2
    SPEC_ALLOW = 4
    NEW_LISTENER = 8
    TSYNC_ESRCH = 16
    WAIT_KILLABLE_RECV = 32


FLAGS: Final = {
    f"SECCOMP_FILTER_FLAG_{name}": int(getattr(FilterFlag, name))
    for name in ("TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV")
}
"""The flags a document may ask for."""

_NOTIFY: Final = "SCMP_ACT_NOTIFY"
_SET_MODE_FILTER: Final = 1
_INSTRUCTION_BYTES: Final = 8

ACTIONS: Final = {
    "SCMP_ACT_KILL": 0x00000000,
    "SCMP_ACT_KILL_THREAD": 0x00000000,
    "SCMP_ACT_KILL_PROCESS": 0x80000000,
    "SCMP_ACT_TRAP": 0x00030000,
    "SCMP_ACT_ERRNO": 0x00050000,
    "SCMP_ACT_NOTIFY": 0x7FC00000,
    "SCMP_ACT_TRACE": 0x7FF00000,
    "SCMP_ACT_LOG": 0x7FFC0000,
    "SCMP_ACT_ALLOW": 0x7FFF0000,
}
COMPARISONS: Final = {
    "SCMP_CMP_NE": 1,
    "SCMP_CMP_LT": 2,
    "SCMP_CMP_LE": 3,
    "SCMP_CMP_EQ": 4,
    "SCMP_CMP_GE": 5,
    "SCMP_CMP_GT": 6,
    "SCMP_CMP_MASKED_EQ": 7,
}
ARCHITECTURES: Final = tuple(
    f"SCMP_ARCH_{name}"
    for name in (
        "AARCH64", "ARM", "LOONGARCH64", "M68K", "MIPS", "MIPS64", "MIPS64N32", "MIPSEL", "MIPSEL64", "MIPSEL64N32",
        "PARISC", "PARISC64", "PPC", "PPC64", "PPC64LE", "RISCV64", "S390", "S390X", "SH", "SHEB", "X32", "X86",
        "X86_64",
    )
)  # fmt: skip
_WITH_ERRNO: Final = ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE")
_UNKNOWN_SYSCALL: Final = -1
_ATTRIBUTE_BAD_ARCHITECTURE: Final = 2
_ATTRIBUTE_OPTIMIZE: Final = 8
_BINARY_TREE: Final = 2


class _Program(ctypes.Structure):
    """struct sock_fprog of seccomp(2)."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class _Comparison(ctypes.Structure):
    """struct scmp_arg_cmp of seccomp_rule_add(3)."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


_seccomp = libc.syscall((317, 277), ctypes.c_uint, ctypes.c_uint, ctypes.POINTER(_Program), keep_gil=True)


def install(program: bytes, flags: int = 0) -> int:
    """Filter this thread and its children by the BPF ``program`` from now on.

    Returns:
        with NEW_LISTENER the descriptor that its questions come from, owned by the caller (close-on-exec); else 0.

    Raises:
        OSError: EACCES without CAP_SYS_ADMIN and no_new_privs; EINVAL for a program the kernel does not take.
    """
    buffer = ctypes.create_string_buffer(program, len(program))
    length = len(program) // _INSTRUCTION_BYTES
    return _seccomp(_SET_MODE_FILTER, flags, _Program(length, ctypes.addressof(buffer)))


def supports(flag: int) -> bool:
    """Whether this kernel knows a flag of the system call: it looks at flags before it looks for a program."""
    try:
        _seccomp(
            _SET_MODE_FILTER, flag | (FilterFlag.NEW_LISTENER if flag == FilterFlag.WAIT_KILLABLE_RECV else 0), None
        )
    except OSError as error:
        return error.errno == errno.EFAULT
    return False  # there is no program at that address


def flags_of(document: Mapping[str, Any]) -> int:
    """Return the flags of the system call that the document asks for: with NEW_LISTENER when some call is a question.

    Raises:
        ValueError: with the flag that is not known.
    """
    flags = 0
    for name in document.get("flags") or ():
        flag = FLAGS.get(name)
        if flag is None:
            raise ValueError(f"unknown seccomp flag {name}")
        flags |= flag
    if _NOTIFY in (document["defaultAction"], *(rule["action"] for rule in document.get("syscalls") or ())):
        flags |= FilterFlag.NEW_LISTENER | (FilterFlag.TSYNC_ESRCH if flags & FilterFlag.TSYNC else 0)
    return int(flags)


def compile_filter(document: Mapping[str, Any]) -> bytes:
    """Return a short BPF program of an OCI seccomp document (config-linux.md "Seccomp").

    It has answers to system calls that libseccomp does not know (:mod:`wharf.kernel.seccomp_newer`).

    Raises:
        ValueError, OSError: as :func:`compile_whole`.
    """
    from wharf.kernel import seccomp_newer  # noqa: PLC0415 - start-up: compiled filters are kept
    from wharf.kernel.seccomp_ranges import shorten  # noqa: PLC0415 - the same

    whole = compile_whole(document)
    lib = _Library()
    tokens = dict.fromkeys([lib.arch_native(), *(_token(lib, name) for name in document.get("architectures") or ())])
    default = document["defaultAction"]
    rules = [
        (rule["names"], _action(rule["action"], rule.get("errnoRet")), bool(rule.get("args")))
        for rule in document.get("syscalls") or ()
    ]
    before = seccomp_newer.before(
        rules,
        tokens,
        lambda token, name: lib.resolve_on(token, name.encode()),
        refuses=default == "SCMP_ACT_ERRNO",
    )
    return shorten(before + whole)


def compile_whole(document: Mapping[str, Any]) -> bytes:
    """Return the BPF program that libseccomp writes of an OCI seccomp document.

    System calls that libseccomp does not know on an architecture are left out, as the specification's users expect.

    Raises:
        ValueError: an action, operator, architecture or argument that is not known.
        OSError: libseccomp is missing (ENOSYS), or refused.
    """
    lib = _Library()
    default = _action(document["defaultAction"], document.get("defaultErrnoRet"))
    context = lib.init(default)
    if not context:
        raise OSError(errno.EINVAL, "libseccomp refused the default action")
    try:
        _add_architectures(lib, context, document.get("architectures") or ())
        lib.attribute(
            context, _ATTRIBUTE_OPTIMIZE, _BINARY_TREE
        )  # older libraries refuse: their filters are only slower
        for rule in document.get("syscalls") or ():
            _add_rule(lib, context, rule, default)
        return _export(lib, context)
    finally:
        lib.release(context)


class _Library:
    """libseccomp's functions, loaded when the first filter is compiled."""

    def __init__(self) -> None:
        try:
            lib = ctypes.CDLL("libseccomp.so.2")
        except OSError as error:
            raise OSError(errno.ENOSYS, f"libseccomp is needed for seccomp profiles: {error}") from error
        pointer, number = ctypes.c_void_p, ctypes.c_uint32
        self.init: Any = _declare(lib["seccomp_init"], pointer, number)
        self.release: Any = _declare(lib["seccomp_release"], None, pointer)
        self.attribute: Any = _declare(lib["seccomp_attr_set"], ctypes.c_int, pointer, ctypes.c_int, number)
        self.arch_resolve: Any = _declare(lib["seccomp_arch_resolve_name"], number, ctypes.c_char_p)
        self.arch_add: Any = _declare(lib["seccomp_arch_add"], ctypes.c_int, pointer, number)
        self.arch_native: Any = _declare(lib["seccomp_arch_native"], number)
        self.resolve_on: Any = _declare(
            lib["seccomp_syscall_resolve_name_arch"], ctypes.c_int, number, ctypes.c_char_p
        )
        self.syscall_resolve: Any = _declare(lib["seccomp_syscall_resolve_name"], ctypes.c_int, ctypes.c_char_p)
        self.rule_add: Any = _declare(
            lib["seccomp_rule_add_array"],
            ctypes.c_int, pointer, number, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(_Comparison),
        )  # fmt: skip
        self.export: Any = _declare(lib["seccomp_export_bpf"], ctypes.c_int, pointer, ctypes.c_int)


def _declare(function: Any, restype: Any, *argtypes: Any) -> Any:
    function.restype = restype
    function.argtypes = argtypes
    return function


def _check(result: int, what: str, *tolerated: int) -> None:
    if result < 0 and -result not in tolerated:
        raise OSError(-result, f"seccomp: {what}: {os.strerror(-result)}")


def _action(name: str, errno_ret: int | None) -> int:
    action = ACTIONS.get(name)
    if action is None:
        raise ValueError(f"unknown seccomp action {name}")
    if name not in _WITH_ERRNO:
        if errno_ret is not None:
            raise ValueError(f"seccomp action {name} takes no errnoRet")
        return action
    return action | ((errno.EPERM if errno_ret is None else errno_ret) & 0xFFFF)


def _add_architectures(lib: _Library, context: int, names: Any) -> None:
    for name in names:
        _check(lib.arch_add(context, _token(lib, name)), name, errno.EEXIST)


def _token(lib: _Library, name: str) -> int:
    if name not in ARCHITECTURES:
        raise ValueError(f"unknown seccomp architecture {name}")
    token = lib.arch_resolve(name.removeprefix("SCMP_ARCH_").lower().encode())
    if not token:
        raise OSError(errno.ENOSYS, f"this libseccomp is too old for the architecture {name}")
    return int(token)


def _add_rule(lib: _Library, context: int, rule: Mapping[str, Any], default: int) -> None:
    if not rule["names"]:
        raise ValueError("a seccomp rule names no system call")
    action = _action(rule["action"], rule.get("errnoRet"))
    if action == default:
        return  # says nothing, and libseccomp refuses it
    for comparisons in _conditions(rule.get("args") or ()):
        array = (_Comparison * len(comparisons))(*comparisons)
        for name in rule["names"]:
            number = lib.syscall_resolve(name.encode())
            if number != _UNKNOWN_SYSCALL:
                # EDOM: the call does not exist on one of the architectures
                _check(lib.rule_add(context, action, number, len(comparisons), array), name, errno.EDOM)


def _conditions(arguments: Any) -> list[list[_Comparison]]:
    """Return alternatives, each a list of comparisons that must all hold.

    Several conditions on the same argument mean "any of these" (as runc reads them: libseccomp takes one for each).
    """
    comparisons = [_comparison(argument) for argument in arguments]
    if len({comparison.arg for comparison in comparisons}) < len(comparisons):
        return [[comparison] for comparison in comparisons]
    return [comparisons]


def _comparison(argument: Mapping[str, Any]) -> _Comparison:
    op = COMPARISONS.get(argument["op"])
    if op is None:
        raise ValueError(f"unknown seccomp operator {argument['op']}")
    value, second = argument["value"], argument.get("valueTwo", 0)
    return _Comparison(argument["index"], op, value, second)


def _export(lib: _Library, context: int) -> bytes:
    fd = os.memfd_create("seccomp", os.MFD_CLOEXEC)
    try:
        _check(lib.export(context, fd), "export")
        size = os.fstat(fd).st_size
        return os.pread(fd, size, 0)
    finally:
        os.close(fd)
