"""System calls that are newer than libseccomp, or than the profile: what a filter answers before all else.

A profile names what it allows and refuses the rest with EPERM. But a program that tries a system call which is newer
than its kernel falls back on ENOSYS alone: "not permitted" it takes for the answer. So what is newer than all that a
profile names is not there, as with runc, which Docker's profiles rely on. And what a profile names and this
libseccomp does not know yet gets the profile's answer all the same: since Linux 5.1 a system call has one number
everywhere (arch/*/syscall.tbl), so a table for some years is short.
"""

from __future__ import annotations

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Final

NUMBERS: Final = {
    "statmount": 457,
    "listmount": 458,
    "lsm_get_self_attr": 459,
    "lsm_set_self_attr": 460,
    "lsm_list_modules": 461,
    "mseal": 462,
    "setxattrat": 463,
    "getxattrat": 464,
    "listxattrat": 465,
    "removexattrat": 466,
    "open_tree_attr": 467,
    "file_getattr": 468,
    "file_setattr": 469,
}
"""Those that libseccomp 2.5 does not know."""

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL, _GREATER, _AT_LEAST = 0x15, 0x25, 0x35  # BPF_JMP | … | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K
_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
_NOT_THERE: Final = 0x00050000 | errno.ENOSYS  # SECCOMP_RET_ERRNO
_X32_BIT: Final = 0x40000000
_X32: Final = 0x4000003E  # libseccomp's name for it; the kernel says x86_64, and the bit is in the number
_X86_64: Final = 0xC000003E
_ALIKE: Final = frozenset({_X86_64, _X32, 0x40000003, 0xC00000B7, 0x40000028})  # with i386, aarch64 and arm


def before(
    rules: Iterable[tuple[list[str], int, bool]],
    tokens: Iterable[int],
    resolve: Callable[[int, str], int],
    *,
    refuses: bool,
) -> bytes:
    """Return the instructions that go before a program; what they do not answer, that does.

    Args:
        rules: of the profile: names, the answer, and whether it depends on arguments.
        tokens: libseccomp's names of the architectures, which are those of struct seccomp_data, but for x32.
        resolve: returns the number of a system call on an architecture; below 0: libseccomp knows none.
        refuses: what the profile does not name is answered by an error.
    """
    rules = list(rules)
    written: list[tuple[int, int, int, int]] = []
    for token in tokens:
        answers, last = _newer(rules, token, resolve)
        body = [each for number, answer in answers.items() for each in _answered(number, answer)]
        if refuses and last >= 0:
            body += _ended(token, last)
        if body:
            architecture = _X86_64 if token == _X32 else token
            written += [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 0, len(body) + 1, architecture)]
            written += [(_LOAD, 0, 0, _NUMBER), *body]
    return b"".join(
        code.to_bytes(2, "little") + bytes((if_true, if_false)) + operand.to_bytes(4, "little")
        for code, if_true, if_false, operand in written
    )


def _newer(
    rules: list[tuple[list[str], int, bool]], token: int, resolve: Callable[[int, str], int]
) -> tuple[dict[int, int], int]:
    """Return the answers to what libseccomp does not know, by number; and the last number that the profile names."""
    answers: dict[int, int] = {}
    last = -1
    for names, answer, conditional in rules:
        for name in names:
            number = resolve(token, name)
            if number < 0 and token in _ALIKE and name in NUMBERS:
                number = NUMBERS[name] | (_X32_BIT if token == _X32 else 0)
                if not conditional:
                    answers.setdefault(number, answer)
            last = max(last, number)
    return answers, last


def _answered(number: int, answer: int) -> list[tuple[int, int, int, int]]:
    return [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, answer)]


def _ended(token: int, last: int) -> list[tuple[int, int, int, int]]:
    end = [(_GREATER, 0, 1, last), (_RETURN, 0, 0, _NOT_THERE)]
    return [(_AT_LEAST, len(end), 0, _X32_BIT), *end] if token == _X86_64 else end
