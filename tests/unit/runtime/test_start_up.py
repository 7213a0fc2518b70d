"""What a command takes from the archive of its modules; how that is written and found is in test_archive.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_SITE = Path(__file__).parents[3] / "src"
_READ = """
import marshal, sys
content = memoryview(sys.stdin.buffer.read())
start = 4 + int.from_bytes(content[:4], "little")
index = marshal.loads(content[4:start])
names = {"__name__": "wharf.runtime.start_up"}
exec(index["start"], names)
"""


def _read(program: str, *words: str) -> str:
    line = [sys.executable, "-I", "-S", "-c", _READ + program, *words]
    written = subprocess.run([sys.executable, "-I", "-S", "-c", _WRITE], capture_output=True, check=True).stdout
    return subprocess.run(line, input=written, capture_output=True, check=True).stdout.decode()


_WRITE = f"""
import sys; sys.path.insert(0, {str(_SITE)!r})
from wharf.runtime import archive
sys.stdout.buffer.write(archive.collect({str(_SITE)!r}))
"""


def test_a_command_loads_its_own_modules_and_no_others() -> None:
    program = f"""
assert names["_load"]({str(_SITE)!r}, index, content[start:])
import wharf.runtime.commands.lifecycle
print(*sorted(name for name in sys.modules if name.startswith("wharf.runtime")))
"""

    loaded = _read(program, "--root", "/x", "kill", "box").split()

    assert {"wharf.runtime.commands.lifecycle", "wharf.runtime.operations", "wharf.runtime.cli"} <= set(loaded)
    assert {"wharf.runtime.creation", "wharf.runtime.init", "wharf.runtime.mounts"}.isdisjoint(loaded)


def test_the_rest_is_found_in_it_as_well() -> None:
    program = f"""
assert names["_load"]({str(_SITE)!r}, index, content[start:])
import wharf.runtime.hooks
print(type(wharf.runtime.hooks.__spec__.loader).__name__, wharf.runtime.hooks.__file__)
"""

    assert _read(program, "state", "box").split() == ["Finder", str(_SITE / "wharf/runtime/hooks.py")]


def test_a_module_that_is_not_as_it_was_makes_it_worth_nothing() -> None:
    program = f"""
file, time, *rest = index["modules"]["wharf.runtime.state"]
index["modules"]["wharf.runtime.state"] = (file, time + 1, *rest)
print(names["_load"]({str(_SITE)!r}, index, content[start:]), any(name.startswith("wharf") for name in sys.modules))
"""

    assert _read(program, "state", "box").split() == ["False", "False"]
