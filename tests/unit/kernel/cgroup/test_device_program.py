"""The program is read, and run by a small machine of the test's own."""

from __future__ import annotations

import errno
import itertools
from typing import Any

import pytest

from wharf.kernel.cgroup.device_program import Instruction, encode, program

_BITS = {"m": 1, "r": 2, "w": 4}
_DOCKERS: list[dict[str, Any]] = [
    {"allow": False, "access": "rwm"},
    {"allow": True, "type": "c", "access": "m"},
    {"allow": True, "type": "b", "access": "m"},
    {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rwm"},
    {"allow": True, "type": "c", "major": 136, "access": "rwm"},
]


def _run(code: list[Instruction], kind: str, major: int, minor: int, access: str) -> bool:
    """Execute the program as the kernel does."""
    bits = sum(_BITS[letter] for letter in access)
    context = {0: bits << 16 | {"b": 1, "c": 2}[kind], 4: major, 8: minor}
    registers = {1: 0}
    place = 0
    while True:
        one = code[place]
        place += 1
        match one.code:
            case 0x61:
                registers[one.to] = context[one.offset]
            case 0xBC:
                registers[one.to] = registers[one.of]
            case 0x54:
                registers[one.to] &= one.value
            case 0x74:
                registers[one.to] >>= one.value
            case 0xB7:
                registers[one.to] = one.value
            case 0x16 | 0x56:
                place += one.offset if (registers[one.to] == one.value) is (one.code == 0x16) else 0
            case 0x95:
                return bool(registers[0])


def _may(rules: list[dict[str, Any]], device: str) -> bool:
    kind, numbers, access = device.split()
    major, minor = numbers.split(":")
    return _run(program(rules), kind, int(major), int(minor), access)


def test_the_usual_rules_as_a_program() -> None:
    assert [repr(one) for one in program(_DOCKERS[:2])] == [
        "r2 = *(u32 *)(r1 + 0)",
        "w3 = w2",
        "w2 &= 65535",
        "w3 >>= 16",
        "r4 = *(u32 *)(r1 + 4)",
        "r5 = *(u32 *)(r1 + 8)",
        "if w2 != 2 goto +5",
        "w1 = w3",
        "w1 &= 6",
        "if w1 != 0 goto +2",
        "r0 = 1",
        "exit",
        "r0 = 0",
        "exit",
    ]


def test_the_usual_rules_allow_what_every_container_needs() -> None:
    devices = {"c 1:3 rw": True, "c 136:7 rwm": True, "b 8:0 m": True, "b 8:0 r": False, "c 1:3 m": True}

    assert {device: _may(_DOCKERS, device) for device in devices} == devices
    assert not _may(_DOCKERS, "c 10:229 rw")
    assert not _may(_DOCKERS, "c 10:229 rm")


def test_a_later_rule_overrides() -> None:
    denied = [*_DOCKERS, {"allow": False, "type": "c", "major": 1, "minor": 3, "access": "w"}]

    assert [_may(denied, f"c 1:3 {access}") for access in ("r", "w", "rw")] == [True, False, False]
    assert _may([*denied, {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "w"}], "c 1:3 w")


def test_reading_and_writing_allowed_one_by_one_are_allowed_together() -> None:
    rules = [_DOCKERS[0], *({"allow": True, "type": "b", "major": 8, "access": access} for access in "rw")]

    assert [_may(rules, f"b 8:1 {access}") for access in ("rw", "r", "m")] == [True, True, False]


def test_without_rules_and_after_one_for_everything_nothing_is_looked_at() -> None:
    assert _may([], "b 8:0 rwm")
    assert len(program([*_DOCKERS, {"allow": True}])) == 8


@pytest.mark.parametrize("default", [True, False])
def test_rules_mean_what_they_mean_on_v1(default: bool) -> None:
    rules = [
        {"allow": default},
        {"allow": not default, "type": "c", "major": 1, "access": "rw"},
        {"allow": default, "type": "c", "major": 1, "minor": 5, "access": "rw"},
    ]
    for kind, major, minor, access in itertools.product("bc", (1, 2), (3, 5), ("r", "w", "m")):
        excepted = kind == "c" and major == 1 and minor == 3 and access in "rw"
        assert _may(rules, f"{kind} {major}:{minor} {access}") is (default is not excepted)


def test_an_instruction_takes_eight_bytes() -> None:
    assert encode([Instruction(0x56, 2, 0, 5, 2), Instruction(0x95)]) == bytes.fromhex(
        "56020500020000009500000000000000"
    )


@pytest.mark.parametrize("rule", [{"type": "q"}, {"access": "rx"}, {"type": "c", "major": 1 << 31}])
def test_what_there_is_not_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(OSError, match=r"unknown|no device") as caught:
        program([{"allow": True, **rule}])

    assert caught.value.errno == errno.EINVAL
