"""Another file as one's executable: what others see, and that the process goes on as it was."""

from __future__ import annotations

import errno
import os
import sys

import pytest
from tests.root.inside import in_a_child

from wharf.kernel import exe_file, memfd

pytestmark = pytest.mark.root

_OWN = os.path.realpath(sys.executable)


def _single_file() -> bool:
    with open("/proc/self/maps", encoding="utf-8") as maps:
        return not any("/libpython" in line for line in maps)


@pytest.mark.skipif(_single_file(), reason="this interpreter is a single file")
def test_a_process_and_its_children_are_of_the_new_file() -> None:
    def body() -> tuple[bool, bool, int]:
        copy = memfd.sealed_copy(_OWN)
        exe_file.replace(copy)
        os.close(copy)
        grown = sum(len(bytearray(1 << 16)) for _ in range(100))  # the heap is where it was
        shown = [os.readlink("/proc/self/exe"), in_a_child(lambda: os.readlink("/proc/self/exe"))]
        with open("/proc/self/maps", encoding="utf-8") as maps:
            mapped = any(line.rstrip().endswith(_OWN) for line in maps)
        return all("/memfd:" in one for one in shown), mapped, grown

    assert in_a_child(body) == repr((True, False, 100 << 16))


@pytest.mark.skipif(_single_file(), reason="this interpreter is a single file")
def test_what_cannot_be_executed_is_not_taken() -> None:
    def body() -> int | None:
        with open("/dev/null", "rb") as null:
            try:
                exe_file.replace(null.fileno())
            except OSError as error:
                return error.errno
        return None

    assert in_a_child(body) == str(errno.EACCES)


def test_an_interpreter_that_is_a_single_file_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exe_file, "_mappings", lambda _path: [(id(None), id(None) + 1, 1)])

    with pytest.raises(OSError, match="own data") as caught:
        exe_file.replace(-1)

    assert caught.value.errno == errno.EBUSY
