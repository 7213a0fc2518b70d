"""Device rules as a BPF program, which is what cgroup v2 has for them; pure.

The program is asked for each mknod and each open of a device (linux/bpf.h, struct bpf_cgroup_dev_ctx): the kind and
the access in one word, the numbers in two. It answers 1, yes, or 0, no. As on v1 a later rule overrides an earlier
one, so it looks from the last rule to the first: one that allows has to allow all that is asked for, one that denies
has to deny some of it. What no rule is about is allowed, as in a fresh group of v1.
"""

from __future__ import annotations

import errno
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Final

    from wharf.kernel.cgroup.resources import DeviceRule

_KINDS: Final = {"b": 1, "c": 2, "u": 2}
_ACCESSES: Final = {"m": 1, "r": 2, "w": 4}
_EVERYTHING: Final = 7

# Registers: 1 is the context, and free once it is read.
_KIND, _ACCESS, _MAJOR, _MINOR, _SCRATCH, _RESULT = 2, 3, 4, 5, 1, 0
# Codes (linux/bpf.h, "Instruction encoding" of the kernel's docs).
_LOAD, _AND, _SHIFT_RIGHT, _COPY, _SET = 0x61, 0x54, 0x74, 0xBC, 0xB7
_JUMP_IF_EQUAL, _JUMP_IF_NOT, _EXIT = 0x16, 0x56, 0x95
_NAMES: Final = {
    _LOAD: "r{to} = *(u32 *)(r{of} + {offset})",
    _AND: "w{to} &= {value}",
    _SHIFT_RIGHT: "w{to} >>= {value}",
    _COPY: "w{to} = w{of}",
    _SET: "r{to} = {value}",
    _JUMP_IF_EQUAL: "if w{to} == {value} goto +{offset}",
    _JUMP_IF_NOT: "if w{to} != {value} goto +{offset}",
    _EXIT: "exit",
}


class Instruction:
    """One instruction: its code, two registers, an offset and a constant."""

    __slots__ = ("code", "of", "offset", "to", "value")

    def __init__(self, code: int, to: int = 0, of: int = 0, offset: int = 0, value: int = 0) -> None:
        self.code = code
        self.to = to
        self.of = of
        self.offset = offset
        self.value = value

    def __repr__(self) -> str:
        return _NAMES[self.code].format(to=self.to, of=self.of, offset=self.offset, value=self.value)


class _Rule:
    """A rule with numbers for words; None is any."""

    __slots__ = ("access", "allow", "kind", "major", "minor")

    def __init__(self, rule: DeviceRule) -> None:
        kind = rule.get("type") or "a"
        if kind not in (*_KINDS, "a"):
            raise OSError(errno.EINVAL, f"unknown type of device {kind!r}", "devices")
        self.allow = bool(rule.get("allow"))
        self.kind = _KINDS.get(kind)
        self.access = _access(rule.get("access") or "rwm")
        self.major, self.minor = (_number(rule.get(name)) for name in ("major", "minor"))

    @property
    def what(self) -> tuple[bool, int | None, int | None, int | None]:
        return self.allow, self.kind, self.major, self.minor

    @property
    def is_about_everything(self) -> bool:
        return (self.kind, self.access, self.major, self.minor) == (None, _EVERYTHING, None, None)


def program(rules: Iterable[DeviceRule]) -> list[Instruction]:
    """Return the program of ``rules`` (config-linux.md "Allowed Device list").

    Raises:
        OSError: EINVAL: a type, an access or a number that there is not.
    """
    code = [
        Instruction(_LOAD, _KIND, _SCRATCH, 0),
        Instruction(_COPY, _ACCESS, _KIND),
        Instruction(_AND, _KIND, value=0xFFFF),
        Instruction(_SHIFT_RIGHT, _ACCESS, value=16),
        Instruction(_LOAD, _MAJOR, _SCRATCH, 4),
        Instruction(_LOAD, _MINOR, _SCRATCH, 8),
    ]
    for rule in _from_the_last(rules):
        code += _block(rule)
        if rule.is_about_everything:  # what follows could not be reached, and the kernel refuses such programs
            return code
    return [*code, *_answer(allow=True)]


def encode(code: Sequence[Instruction]) -> bytes:
    """Return the program as the kernel takes it, on little-endian machines."""
    return b"".join(struct.pack("<BBhi", one.code, one.of << 4 | one.to, one.offset, one.value) for one in code)


def _from_the_last(rules: Iterable[DeviceRule]) -> list[_Rule]:
    """Return the rules, the last first, and neighbours about the same devices as one: r and w are then rw."""
    found: list[_Rule] = []
    for rule in map(_Rule, rules):
        if rule.is_about_everything:
            found.clear()
        same = next((one for one in reversed(found) if one.what == rule.what), None)
        if same is not None and all(one.allow == rule.allow for one in found[found.index(same) :]):
            same.access |= rule.access
        else:
            found.append(rule)
    return found[::-1]


def _block(rule: _Rule) -> list[Instruction]:
    """Return what answers if the rule is about what is asked for, and goes on after it if not."""
    answer = _answer(allow=rule.allow)
    tests: list[Instruction] = []
    if rule.kind is not None:
        tests.append(Instruction(_JUMP_IF_NOT, _KIND, value=rule.kind))
    if rule.access != _EVERYTHING:
        tests.append(Instruction(_COPY, _SCRATCH, _ACCESS))
        rest = ~rule.access & _EVERYTHING if rule.allow else rule.access
        tests.append(Instruction(_AND, _SCRATCH, value=rest))
        tests.append(Instruction(_JUMP_IF_NOT if rule.allow else _JUMP_IF_EQUAL, _SCRATCH, value=0))
    for register, number in ((_MAJOR, rule.major), (_MINOR, rule.minor)):
        if number is not None:
            tests.append(Instruction(_JUMP_IF_NOT, register, value=number))
    for place, test in enumerate(tests):
        if test.code in (_JUMP_IF_NOT, _JUMP_IF_EQUAL):
            test.offset = len(tests) - place - 1 + len(answer)
    return [*tests, *answer]


def _answer(*, allow: bool) -> list[Instruction]:
    return [Instruction(_SET, _RESULT, value=int(allow)), Instruction(_EXIT)]


def _access(letters: str) -> int:
    unknown = set(letters) - _ACCESSES.keys()
    if unknown:
        raise OSError(errno.EINVAL, f"unknown access to a device {letters!r}", "devices")
    return sum(_ACCESSES[letter] for letter in set(letters))


def _number(value: int | None) -> int | None:
    if value is None or value < 0:
        return None
    if value >= 1 << 31:
        raise OSError(errno.EINVAL, f"no device has the number {value}", "devices")
    return value
