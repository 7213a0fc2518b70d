"""The heaps are a process's own, so each test looks at a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wharf.kernel import malloc

pytestmark = pytest.mark.skipif(malloc._malloc_trim is None, reason="the GNU C library's own")

_THREADS = """
import ctypes, threading
from wharf.kernel import malloc
{first}
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
places = []
def allocate(): places.append(libc.malloc(1 << 14))
allocate()
for _ in range(4):
    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()
print(sum(abs(place - places[0]) > 1 << 30 for place in places))
"""
_FREED = """
import ctypes
from wharf.kernel import malloc
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
def resident(): return int(open("/proc/self/statm").read().split()[1]) * 4096
places = [libc.malloc(64 << 10) for _ in range(512)]
for place in places: ctypes.memset(place, 1, 64 << 10)
for place in places[:-1]: libc.free(place)  # the last is above them: the end of the heap cannot just move
before = resident()
print(malloc.give_back(), before - resident() > 16 << 20)
"""


def printed_by(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_threads_have_heaps_of_their_own_unless_told_to_share_one() -> None:
    assert int(printed_by(_THREADS.format(first=""))) > 0
    assert printed_by(_THREADS.format(first="malloc.use_one_heap()")) == "0"


def test_what_is_free_goes_back_to_the_kernel() -> None:
    assert printed_by(_FREED) == "True True"


def test_without_the_gnu_library_there_is_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(malloc, "_mallopt", malloc._if_there("no_such_function_anywhere"))
    monkeypatch.setattr(malloc, "_malloc_trim", None)

    malloc.use_one_heap()

    assert malloc.give_back() is False
