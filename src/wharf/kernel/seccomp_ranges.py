"""A shorter filter with the same answers: one that finds the range that a system call's number lies in.

libseccomp compares with each number that a profile names: 1,243 instructions for Docker's default, which the kernel
takes half a millisecond to check and translate at each start. But the answer is the same for long ranges of numbers.
So the program is worked out for each range, for each architecture, and written anew as a search among them: a quarter
of that length. Whatever is not as libseccomp writes it stays as it is.

    architecture? ─┬─ number ≥ 219? ─┬─ number ≥ 300? ─┬─ answer
                   │                 │                 └─ argument 0 = 8? ─┬─ answer
                   └─ …              └─ …                                  └─ answer
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    Instruction = tuple[int, int, int, int]
    """struct sock_filter: code, instructions to skip if true, and if false, operand (linux/filter.h)."""
    Source = tuple[int, int]
    """What is compared: a word of struct seccomp_data by its offset, and the mask that is laid on it."""
    Answer = int | tuple[Source, int, int, Any, Any]
    """What is returned; or what decides: a word, a comparison, its operand, the answer if true and if false."""
    Ranges = tuple[tuple[int, Any], ...]
    """Where each range begins, in order, the first one at 0; and what is in it."""

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_AND: Final = 0x54  # BPF_ALU | BPF_AND | BPF_K
_SKIP: Final = 0x05  # BPF_JMP | BPF_JA
_EQUAL, _GREATER, _AT_LEAST, _ANY_BIT = 0x15, 0x25, 0x35, 0x45  # BPF_JMP | … | BPF_K
_COMPARISONS: Final = frozenset({_EQUAL, _GREATER, _AT_LEAST, _ANY_BIT})
_RETURN: Final = 0x06  # BPF_RET | BPF_K
_HIGHEST: Final = 0xFFFFFFFF
_NUMBER: Final = (0, _HIGHEST)  # seccomp_data.nr
_ARCHITECTURE: Final = (4, _HIGHEST)  # seccomp_data.arch
_INSTRUCTION_BYTES: Final = 8
_FURTHEST: Final = 250  # of the 255 instructions that a comparison can skip, so that others fit between
_MOST_STEPS: Final = 1_000_000  # half a second
_MOST_DOTTED: Final = 9  # ranges in which single numbers are asked for one by one
_DEEPEST: Final = 64


class _Unlike(Exception):
    """The program is not one that this module knows to read."""


def shorten(program: bytes) -> bytes:
    """Return a program that answers as ``program`` does whatever it is asked, and is not longer."""
    try:
        written = _Writer().write(_Reader(_parse(program)).architectures())
    except _Unlike:
        return program
    shorter = b"".join(map(_pack, written))
    return min(program, shorter, key=len)


def _parse(program: bytes) -> list[Instruction]:
    pieces = (program[at : at + _INSTRUCTION_BYTES] for at in range(0, len(program), _INSTRUCTION_BYTES))
    return [(int.from_bytes(one[:2], "little"), one[2], one[3], int.from_bytes(one[4:], "little")) for one in pieces]


def _pack(instruction: Instruction) -> bytes:
    code, if_true, if_false, operand = instruction
    return code.to_bytes(2, "little") + bytes((if_true, if_false)) + operand.to_bytes(4, "little")


class _Known:
    """A word whose value is known, and the range around it in which all comparisons so far come out the same."""

    __slots__ = ("high", "low", "value")

    def __init__(self, value: int) -> None:
        self.value = value
        self.low, self.high = 0, _HIGHEST

    def compare(self, comparison: int, operand: int) -> bool:
        if comparison == _EQUAL:
            return self._is_above(operand) and not self._is_above(operand + 1)
        if comparison == _ANY_BIT:
            raise _Unlike
        return self._is_above(operand if comparison == _AT_LEAST else operand + 1)

    def _is_above(self, bound: int) -> bool:
        """Whether the value is ``bound`` or more."""
        if self.value >= bound:
            self.low = max(self.low, bound)
            return True
        self.high = min(self.high, bound - 1)
        return False


class _Reader:
    """Works out what a program answers where architecture and number are known, and the arguments are not."""

    def __init__(self, instructions: list[Instruction]) -> None:
        self._instructions = instructions
        self._steps = 0

    def architectures(self) -> Ranges:
        """Return, for each range of architectures, what is answered for each range of numbers."""
        found: list[tuple[int, Ranges]] = []
        at = 0
        while at <= _HIGHEST:
            architecture = _Known(at)
            found.append((at, self._numbers(architecture)))
            at = architecture.high + 1
        return _joined(found)

    def _numbers(self, architecture: _Known) -> Ranges:
        found: list[tuple[int, Answer]] = []
        at = 0
        while at <= _HIGHEST:
            number = _Known(at)
            found.append((at, self._answer(0, None, {_ARCHITECTURE: architecture, _NUMBER: number}, 0)))
            at = number.high + 1
        return _joined(found)

    def _answer(self, at: int, source: Source | None, known: dict[Source, _Known], depth: int) -> Answer:
        while True:
            self._steps += 1
            if at >= len(self._instructions) or self._steps > _MOST_STEPS or depth > _DEEPEST:
                raise _Unlike
            code, if_true, if_false, operand = self._instructions[at]
            at += 1
            if code == _RETURN:
                return operand
            if code == _LOAD:
                source = operand, _HIGHEST
            elif code == _AND and source is not None:
                source = source[0], source[1] & operand
            elif code == _SKIP:
                at += operand
            elif code in _COMPARISONS and source in known:
                at += if_true if known[source].compare(code, operand) else if_false
            elif code in _COMPARISONS and source is not None and source[0] not in (_NUMBER[0], _ARCHITECTURE[0]):
                yes = self._answer(at + if_true, source, known, depth + 1)
                no = self._answer(at + if_false, source, known, depth + 1)
                return yes if yes == no else (source, code, operand, yes, no)
            else:
                raise _Unlike


def _joined(ranges: list[tuple[int, Any]]) -> Ranges:
    """Return the ranges with neighbours of the same content made one."""
    return tuple(
        one for one, before in zip(ranges, [None, *ranges], strict=False) if not before or one[1] != before[1]
    )


def _is_dotted(ranges: Ranges) -> bool:
    """Whether all have the same content but for a few single numbers: it is shorter to ask for each of them."""
    if len(ranges) % 2 == 0 or len(ranges) > _MOST_DOTTED:
        return False
    same = all(content == ranges[0][1] for _, content in ranges[::2])
    return same and all(one[0] + 1 == after[0] for one, after in zip(ranges[1::2], ranges[2::2], strict=True))


class _Writer:
    """Writes a program from its end, for jumps only lead forward: a place is counted from there."""

    def __init__(self) -> None:
        self._written: list[Instruction] = []
        self._places: dict[Answer, int] = {}

    def write(self, architectures: Ranges) -> list[Instruction]:
        """Return the program."""
        self._search(architectures, self._table)
        self._add(_LOAD, _ARCHITECTURE[0])
        return self._written[::-1]

    def _table(self, numbers: Ranges) -> int:
        if len(numbers) == 1:
            return self._answer(numbers[0][1])
        self._search(numbers, self._answer)
        return self._add(_LOAD, _NUMBER[0])

    def _search(self, ranges: Ranges, write: Callable[[Any], int]) -> int:
        """Write a search for the range that the loaded word is in, and what is found there."""
        if len(ranges) == 1:
            return write(ranges[0][1])
        if _is_dotted(ranges):
            place = write(ranges[0][1])
            for number, one in ranges[1::2]:
                place = self._compare(_EQUAL, number, write(one), place)
            return place
        middle = len(ranges) // 2
        above = self._search(ranges[middle:], write)
        below = self._search(ranges[:middle], write)
        return self._compare(_AT_LEAST, ranges[middle][0], above, below)

    def _answer(self, answer: Answer) -> int:
        place = self._places.get(answer)
        if place is not None and (not isinstance(answer, int) or self._reaches(place)):
            return place
        if isinstance(answer, int):
            place = self._add(_RETURN, answer)
        else:
            (offset, mask), comparison, operand, yes, no = answer
            if_true, if_false = self._answer(yes), self._answer(no)
            self._compare(comparison, operand, if_true, if_false)
            if mask != _HIGHEST:
                self._add(_AND, mask)
            place = self._add(_LOAD, offset)
        self._places[answer] = place
        return place

    def _compare(self, comparison: int, operand: int, if_true: int, if_false: int) -> int:
        if_true, if_false = self._near(if_true), self._near(if_false)
        here = len(self._written)
        return self._add(comparison, operand, here - if_true - 1, here - if_false - 1)

    def _near(self, place: int) -> int:
        """Return a place that a comparison reaches and that leads to ``place``."""
        return place if self._reaches(place) else self._add(_SKIP, len(self._written) - place - 1)

    def _reaches(self, place: int) -> bool:
        return len(self._written) - place <= _FURTHEST

    def _add(self, code: int, operand: int, if_true: int = 0, if_false: int = 0) -> int:
        self._written.append((code, if_true, if_false, operand))
        return len(self._written) - 1
