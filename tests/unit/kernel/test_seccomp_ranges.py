"""The shorter filter answers as the one that libseccomp wrote: a small interpreter runs both on all that counts."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wharf.engine.ocispec import moby_seccomp, security
from wharf.kernel import seccomp
from wharf.kernel.seccomp_ranges import shorten

_ARCHITECTURES = (0xC000003E, 0x40000003, 0xC00000B7, 0x40000028, 0xDEADBEEF, 0, 0xFFFFFFFF)
"""x86_64, i386, aarch64, arm, and some that are nobody's."""
_X32 = 0x40000000
_WORD = 0xFFFFFFFF

Instruction = tuple[int, int, int, int]
Data = dict[int, int]
"""struct seccomp_data (seccomp(2)): words by their offset; what is not there is 0."""


def _parse(program: bytes) -> list[Instruction]:
    assert len(program) % 8 == 0
    pieces = [program[at : at + 8] for at in range(0, len(program), 8)]
    return [(int.from_bytes(one[:2], "little"), one[2], one[3], int.from_bytes(one[4:], "little")) for one in pieces]


def _run(instructions: list[Instruction], data: Data, seen: dict[int, set[int]]) -> int:
    """Run a program; ``seen`` gets, by offset, the values next to those that a word is compared with."""
    at = loaded = offset = 0
    mask = _WORD
    while True:
        code, if_true, if_false, operand = instructions[at]
        at += 1
        match code:
            case 0x06:
                return operand
            case 0x20:
                offset, loaded, mask = operand, data.get(operand, 0), _WORD
            case 0x54:
                loaded, mask = loaded & operand, mask & operand
            case 0x05:
                at += operand
            case 0x15 | 0x25 | 0x35:
                holds = {0x15: loaded == operand, 0x25: loaded > operand, 0x35: loaded >= operand}[code]
                at += if_true if holds else if_false
                near = {value & _WORD for value in (operand - 1, operand, operand + 1)}
                seen[offset] |= near | {value | (~mask & _WORD) for value in near}
            case _:
                raise AssertionError(hex(code))


def _numbers(*programs: list[Instruction]) -> list[int]:
    """Return all numbers that there may be a call of, and those around each that a program names."""
    operands = {operand for program in programs for code, _, _, operand in program if code in (0x15, 0x25, 0x35)}
    near = (value + step for value in operands for step in (-1, 0, 1))
    numbers = {*range(600), *range(_X32, _X32 + 600), *near, _WORD}
    return sorted(number for number in numbers if 0 <= number <= _WORD)


def _differences(old: list[Instruction], new: list[Instruction]) -> Iterator[Data]:
    """Yield each question that the programs answer in different ways.

    For a number whose answer depends on arguments these are all combinations of values that either program can tell
    apart: what they compare with is found by running them, until nothing new is found.
    """
    for architecture, number in itertools.product(_ARCHITECTURES, _numbers(old, new)):
        values: dict[int, set[int]] = {}
        while True:
            seen: dict[int, set[int]] = defaultdict(set)
            for combination in itertools.product(*values.values()):
                data = {0: number, 4: architecture, **dict(zip(values, combination, strict=True))}
                if _run(old, data, seen) != _run(new, data, seen):
                    yield data
            found = {word: {0, _WORD} | near for word, near in seen.items() if word >= 16}
            if all(near <= values.get(word, set()) for word, near in found.items()):
                break
            values = {word: values.get(word, set()) | found.get(word, set()) for word in {*values, *found}}


def _compiled(document: Any) -> tuple[list[Instruction], list[Instruction]]:
    program = seccomp.compile_whole(document)
    return _parse(program), _parse(shorten(program))


@pytest.mark.parametrize("arch", sorted(moby_seccomp._NATIVE))
@pytest.mark.parametrize("capabilities", [(), ("CAP_SYS_ADMIN", "CAP_SYSLOG")])
def test_the_default_profile_says_the_same_in_a_third_of_the_length(arch: str, capabilities: tuple[str, ...]) -> None:
    old, new = _compiled(security._default_filter(frozenset(capabilities), arch, (6, 1)))

    assert list(_differences(old, new)) == []
    assert 3 * len(new) < len(old)


_CALLS = ["read", "write", "clone", "personality", "mount", "ioctl", "socket", "openat2", "futex", "kill", "prctl"]
_ACTIONS = ["SCMP_ACT_KILL_PROCESS", "SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY"]
_VALUES = st.sampled_from([0, 1, 8, 0x7E020000, _WORD, _WORD + 1, 0xFFFFFFFFFFFFFFFF])
_COMPARISON = st.fixed_dictionaries(
    {
        "index": st.integers(0, 2),
        "value": _VALUES,
        "valueTwo": _VALUES,
        "op": st.sampled_from(sorted(seccomp.COMPARISONS)),
    }
)
_RULE = st.fixed_dictionaries(
    {
        "names": st.lists(st.sampled_from(_CALLS), min_size=1, max_size=4, unique=True),
        "action": st.sampled_from(_ACTIONS),
        "args": st.lists(_COMPARISON, max_size=2),
    }
)
_DOCUMENT = st.fixed_dictionaries(
    {
        "defaultAction": st.sampled_from(_ACTIONS[:4]),
        "architectures": st.lists(
            st.sampled_from(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"]), unique=True
        ),
        "syscalls": st.lists(_RULE, max_size=4),
    }
)


@settings(max_examples=15, deadline=None)
@given(_DOCUMENT)
def test_any_profile_says_the_same(document: Any) -> None:
    try:
        old, new = _compiled(document)
    except OSError:  # rules that contradict each other: libseccomp refuses them
        return

    assert list(itertools.islice(_differences(old, new), 3)) == []


_ALLOW = bytes.fromhex("06000000 0000ff7f")


@pytest.mark.parametrize(
    "instruction",
    [
        pytest.param("2800000000000000", id="half a word"),
        pytest.param("4500010001000000", id="bits of the number"),
        pytest.param("0500000009000000", id="a jump behind the end"),
    ],
)
def test_what_libseccomp_does_not_write_stays_as_it_is(instruction: str) -> None:
    program = bytes.fromhex("2000000000000000" + instruction) + 2 * _ALLOW

    assert shorten(program) == program


def test_a_program_that_cannot_be_shorter_stays_as_it_is() -> None:
    assert shorten(_ALLOW) == _ALLOW


def test_ranges_further_away_than_a_comparison_reaches_are_found() -> None:
    """Four hundred answers of their own, and jumps that do not fit into a byte."""
    load = bytes.fromhex("2000000000000000")
    chain = b""
    for number in range(400):
        compare = (0x15).to_bytes(2, "little") + bytes((0, 1)) + number.to_bytes(4, "little")
        twice = compare[:2] + bytes((1, 0)) + compare[4:]
        skip = bytes.fromhex("0500000001000000")
        answer = bytes.fromhex("06000000") + (0x50000 + number).to_bytes(4, "little")
        chain += twice + skip + answer + bytes.fromhex("0500000000000000")
    program = load + chain + _ALLOW
    old, new = _parse(program), _parse(shorten(program))

    assert len(new) < len(old)
    seen: dict[int, set[int]] = defaultdict(set)
    assert [_run(new, {0: n, 4: 1}, seen) for n in range(402)] == [_run(old, {0: n, 4: 1}, seen) for n in range(402)]
