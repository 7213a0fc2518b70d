"""The C library by ctypes: every prototype is declared once, at import, and a failure is an OSError.

Loaded into processes whose start-up is a budget, so nothing but ctypes, errno and os is imported.
"""

from __future__ import annotations

import errno
import os

from wharf.kernel import light_ctypes as ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    Function = Callable[..., int]

_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc_with_gil: Final = ctypes.PyDLL(None, use_errno=True)

MACHINE: Final = os.uname().machine
_WORD_BYTES: Final = 8

if MACHINE not in ("x86_64", "aarch64") or ctypes.sizeof(ctypes.c_void_p) != 8:
    raise ImportError(f"wharf works on 64-bit Linux, x86_64 and aarch64, not on {MACHINE}")


def prototype(name: str, *argtypes: Any, path: int | None = None, keep_gil: bool = False) -> Function:
    """Declare ``name`` of the C library, which returns an int and sets errno when that is -1.

    Args:
        name: the symbol.
        argtypes: the C types of its arguments.
        path: index of the argument (bytes) that an error shall name.
        keep_gil: hold the interpreter's lock during the call: what clone3 needs, and what short calls like.
    """
    library = _libc_with_gil if keep_gil else _libc
    function = library[name]  # a new function object at each subscription: prototypes do not disturb each other
    function.argtypes = argtypes
    function.restype = ctypes.c_long if name == "syscall" else ctypes.c_int
    function.errcheck = _raising(path)  # type: ignore[assignment]  # typeshed forbids what ctypes documents: an int
    return function


def syscall(
    numbers: int | tuple[int, int], *argtypes: Any, path: int | None = None, keep_gil: bool = False
) -> Function:
    """Declare the system call of that number, for callers to call as a function.

    Args:
        numbers: one number when it is the same everywhere (those from 424 on), else (x86_64, aarch64).
        argtypes: the C types of its arguments.
        path: index of the argument (bytes) that an error shall name.
        keep_gil: hold the interpreter's lock during the call.
    """
    number = numbers if isinstance(numbers, int) else numbers[MACHINE == "aarch64"]
    shifted = None if path is None else path + 1
    function = prototype("syscall", ctypes.c_long, *argtypes, path=shifted, keep_gil=keep_gil)

    def call(*arguments: Any) -> int:
        return function(number, *arguments)

    return call


def _raising(path: int | None) -> Callable[[int, Any, tuple[Any, ...]], int]:
    def check(result: int, _function: Any, arguments: tuple[Any, ...]) -> int:
        if result != -1:
            return result
        number = ctypes.get_errno()
        name = None if path is None or arguments[path] is None else os.fsdecode(arguments[path])
        raise OSError(number, os.strerror(number), name)

    return check


def words(*values: int) -> bytes:
    """Return a structure of 64-bit fields, as the younger system calls take them: its class would cost each start."""
    return b"".join([value.to_bytes(_WORD_BYTES, "little") for value in values])  # as both machines are


class suppress_errno:  # noqa: N801 - a context manager that reads like contextlib.suppress
    """Ignore an OSError with one of these errno values: ``with suppress_errno(errno.ENOENT):``."""

    __slots__ = ("_numbers",)

    def __init__(self, *numbers: int) -> None:
        self._numbers = numbers

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        return isinstance(error, OSError) and error.errno in self._numbers


def retry_interrupted(function: Function, *arguments: object) -> int:
    """Call ``function`` again while a signal interrupts it (EINTR)."""
    while True:
        try:
            return function(*arguments)
        except OSError as error:
            if error.errno != errno.EINTR:
                raise
