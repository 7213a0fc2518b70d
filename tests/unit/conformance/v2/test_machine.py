from __future__ import annotations

import sys
from pathlib import Path

import pytest
from conformance.v2.machine import DONE, command, run


def test_the_machine_has_v2_alone_and_a_serial_line() -> None:
    line = command(Path("/k"), Path("/i"), ["-q", "tests"])

    assert line[-1] == "console=ttyS0 no_timer_check panic=-1 quiet cgroup_no_v1=all psi=1 -- -q tests"
    assert line[line.index("-serial") + 1] == "stdio"
    with_more = command(Path("/k"), Path("/i"), ["tests"], ["lsm=selinux"])[-1]
    assert with_more.endswith(" psi=1 lsm=selinux -- tests")


@pytest.mark.parametrize(("said", "code"), [(f"1 passed\n{DONE}0\n", 0), (f"{DONE}3\n", 3), ("panic\n", 1)])
def test_what_it_says_in_the_end_is_the_exit_code(said: str, code: int) -> None:
    assert run([sys.executable, "-c", f"print({said!r}, end='')"], timeout_s=20) == code
