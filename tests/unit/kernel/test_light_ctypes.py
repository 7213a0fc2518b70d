"""The few names that the runtime takes, beside those of ctypes."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wharf.kernel import light_ctypes

_SOURCE = Path(__file__).parents[3] / "src"


@pytest.mark.parametrize("name", [name for name in light_ctypes.__all__ if name.startswith("c_")])
def test_a_type_has_the_size_and_the_range_of_its_namesake(name: str) -> None:
    ours, theirs = getattr(light_ctypes, name), getattr(ctypes, name)

    assert light_ctypes.sizeof(ours) == ctypes.sizeof(theirs)
    if name not in ("c_char", "c_char_p", "c_void_p"):
        assert ours(-1).value == theirs(-1).value


def test_a_function_of_the_program_takes_a_structure_and_tells_its_error() -> None:
    class Pair(light_ctypes.Structure):
        _fields_ = (("first", light_ctypes.c_int), ("second", light_ctypes.c_int))

    library = light_ctypes.CDLL(None, use_errno=True)
    pipe = library["pipe"]
    pipe.argtypes = (light_ctypes.POINTER(Pair),)
    pair = Pair()

    assert pipe(pair) == 0
    os.close(pair.first)
    os.close(pair.second)
    assert library["close"](pair.first) == -1
    assert light_ctypes.get_errno() == 9  # EBADF


def test_a_buffer_holds_what_it_was_made_of() -> None:
    assert light_ctypes.create_string_buffer(b"ab").raw == b"ab\0"
    assert light_ctypes.create_string_buffer(b"ab", 2).raw == b"ab"
    assert light_ctypes.create_string_buffer(3).raw == b"\0\0\0"


@pytest.mark.parametrize("hidden", [False, True])
def test_where_the_interpreter_is_another_ctypes_is_used(hidden: bool) -> None:  # data
    program = f"""import sys; sys.path.insert(0, {str(_SOURCE)!r})
if {hidden}:
    import ctypes, _ctypes; del _ctypes.CFuncPtr
from wharf.kernel import prctl, light_ctypes
prctl.set_name("named")
print(open("/proc/self/comm").read().strip(), light_ctypes.CDLL.__module__)"""

    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["named", "ctypes" if hidden else "wharf.kernel.light_ctypes"]
