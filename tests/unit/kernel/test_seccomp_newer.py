"""What is newer than libseccomp, or than the profile, is answered as a program can use it."""

from __future__ import annotations

import errno
from collections import defaultdict
from typing import Any

import pytest
from tests.unit.kernel.test_seccomp_ranges import _parse, _run

from wharf.kernel.seccomp import compile_filter
from wharf.kernel.seccomp_newer import NUMBERS, before

ALLOWED, REFUSED, NOT_THERE = 0x7FFF0000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
X86_64, I386, AARCH64, X32_BIT = 0xC000003E, 0x40000003, 0xC00000B7, 0x40000000
GETPID, NEWEST = 39, NUMBERS["mseal"]


def answer(program: bytes, number: int, architecture: int = X86_64) -> int:
    return _run(_parse(program), {0: number, 4: architecture}, defaultdict(set))


def compiled(*names: str, default: str = "SCMP_ACT_ERRNO", **rule: Any) -> bytes:
    rules = [{"names": list(names), "action": "SCMP_ACT_ALLOW", **rule}]
    architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"]
    return compile_filter({"defaultAction": default, "architectures": architectures, "syscalls": rules})


@pytest.mark.parametrize("architecture", [X86_64, I386, AARCH64])
def test_what_a_profile_names_is_answered_though_libseccomp_may_not_know_it(architecture: int) -> None:
    program = compiled("getpid", "mseal")

    numbers = (NEWEST - 1, NEWEST, NEWEST + 1, 9999)
    assert [answer(program, number, architecture) for number in numbers] == [REFUSED, ALLOWED, NOT_THERE, NOT_THERE]


def test_x32_has_numbers_of_its_own() -> None:
    program = compiled("getpid", "mseal")

    found = [answer(program, X32_BIT | number) for number in (GETPID, NEWEST - 1, NEWEST, NEWEST + 1)]
    assert found == [ALLOWED, REFUSED, ALLOWED, NOT_THERE]


def test_only_what_is_newer_than_all_that_is_named_is_not_there() -> None:
    program = compiled("getpid", "getppid")

    assert [answer(program, number) for number in (GETPID, 57, 110, 111)] == [ALLOWED, REFUSED, ALLOWED, NOT_THERE]


@pytest.mark.parametrize("default", ["SCMP_ACT_KILL_PROCESS", "SCMP_ACT_LOG", "SCMP_ACT_TRAP"])
def test_another_answer_than_an_error_is_given_to_what_is_newer_as_well(default: str) -> None:
    program = compiled("getpid", default=default)

    assert answer(program, 9999) == answer(program, 57) not in (NOT_THERE, ALLOWED)


def test_what_depends_on_arguments_is_refused_where_libseccomp_does_not_know_it() -> None:
    rules = [(["statmount"], ALLOWED, True), (["mseal"], ALLOWED, False)]
    program = before(rules, [X86_64], lambda _token, _name: -1, refuses=True) + bytes([6, 0, 0, 0, 1, 0, 5, 0])

    numbers = (NUMBERS["statmount"], NUMBERS["mseal"], NUMBERS["mseal"] + 1)
    assert [answer(program, number) for number in numbers] == [REFUSED, ALLOWED, NOT_THERE]
    assert answer(program, 9999, AARCH64) == REFUSED


def test_an_architecture_with_other_numbers_gets_none_of_the_table() -> None:
    assert before([(["mseal"], ALLOWED, False)], [0x08], lambda _token, _name: -1, refuses=True) == b""
