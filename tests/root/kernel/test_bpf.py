from __future__ import annotations

import errno
import os

import pytest

from wharf.kernel import bpf
from wharf.kernel.cgroup.device_program import encode, program


def test_a_program_is_a_descriptor() -> None:
    fd = bpf.load_device_program(encode(program([{"allow": False}])))

    assert os.readlink(f"/proc/self/fd/{fd}") == "anon_inode:bpf-prog"
    os.close(fd)


def test_a_program_that_cannot_be_is_refused_with_what_the_verifier_says() -> None:
    with pytest.raises(OSError, match=r"unreachable insn|R0 !read_ok|last insn") as caught:
        bpf.load_device_program(encode(program([]))[:-8])

    assert caught.value.errno == errno.EINVAL
