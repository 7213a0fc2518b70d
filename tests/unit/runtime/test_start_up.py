"""What a command takes from the archive of its modules; how that is written and found is in test_archive.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_SITE = Path(__file__).parents[3] / "src"
_WRITE = f"""
import sys; sys.path.insert(0, {str(_SITE)!r})
from wharf.runtime import archive
sys.stdout.buffer.write(archive.collect({str(_SITE)!r}))
"""
_READ = f"""
import marshal, os, sys
archive, site = sys.argv.pop(1), {str(_SITE)!r}
fd = os.open(archive, os.O_RDONLY)
head = marshal.loads(os.read(fd, 1 << 14))
names = {{"__name__": "wharf.runtime.start_up"}}
exec(head["start"], names)
names["path_of"] = lambda site: archive
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = subprocess.run([sys.executable, "-I", "-S", "-c", _WRITE], capture_output=True, check=True).stdout
    path = tmp_path_factory.mktemp("archive") / "archive"
    path.write_bytes(written)
    return path


def _read(archive: Path, program: str, *words: str) -> list[str]:
    """Return what ``program`` says with the archive's ``head``, its ``fd`` and what is in the module, ``names``."""
    line = [sys.executable, "-I", "-S", "-c", _READ + program, str(archive), *words]
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout.split()


def test_a_command_loads_its_own_modules_and_no_others(archive: Path) -> None:
    program = """
assert names["load"](site, head, fd)
import wharf.runtime.commands.lifecycle
print(*sorted(name for name in sys.modules if name.startswith("wharf.runtime")))
"""

    loaded = _read(archive, program, "--root", "/x", "kill", "box")

    assert {"wharf.runtime.commands.lifecycle", "wharf.runtime.operations", "wharf.runtime.cli"} <= set(loaded)
    assert {"wharf.runtime.creation", "wharf.runtime.init", "wharf.runtime.mounts"}.isdisjoint(loaded)


def test_without_a_command_there_is_what_says_so(archive: Path) -> None:
    program = """
print(names["load"](site, head, fd), "wharf.runtime.cli" in sys.modules, "wharf.runtime.state" in sys.modules)
"""

    assert _read(archive, program, "--version") == ["True", "True", "False"]


_HOOKS = """
import wharf.runtime.hooks
print(type(wharf.runtime.hooks.__spec__.loader).__name__, wharf.runtime.hooks.__file__)
"""


def test_the_rest_is_found_in_it_as_well(archive: Path) -> None:
    said = _read(archive, 'assert names["load"](site, head, fd)' + _HOOKS, "state", "box")

    assert said == ["Finder", str(_SITE / "wharf/runtime/hooks.py")]


def test_the_rest_is_not_taken_from_a_file_that_has_taken_its_place(archive: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(archive.read_bytes())
    program = f"""
assert names["load"](site, head, fd)
archive = {str(other)!r}
"""

    assert _read(archive, program + _HOOKS, "state", "box")[0] == "SourceFileLoader"


def test_of_the_rest_no_more_is_read_than_what_is_asked_for(archive: Path) -> None:
    program = """
assert names["load"](site, head, fd)
read, places = names["_read"], []
names["_read"] = lambda fd, place: places.append(place) or read(fd, place)
before = set(sys.modules)
import wharf.runtime.hooks
rest = read(fd, head["rest"])
asked = [rest[name][1] for name in set(sys.modules) - before if name in rest]
print(places[0] == head["rest"], sorted(places[1:]) == sorted(asked))
"""

    assert _read(archive, program, "state", "box") == ["True", "True"]


def test_a_module_of_the_rest_that_is_damaged_is_taken_from_its_file(archive: Path, tmp_path: Path) -> None:
    places = """
rest = names["_read"](fd, head["rest"])
print(rest["wharf.runtime.hooks"][1][0])
"""
    damaged = bytearray(archive.read_bytes())
    start = int(_read(archive, places, "state", "box")[0])
    damaged[start : start + 8] = bytes(8)
    other = tmp_path / "damaged"
    other.write_bytes(damaged)

    said = _read(other, 'assert names["load"](site, head, fd)' + _HOOKS, "state", "box")

    assert said == ["SourceFileLoader", str(_SITE / "wharf/runtime/hooks.py")]


def test_the_interpreters_own_libraries_are_not_searched_for(archive: Path) -> None:
    program = """
assert names["load"](site, head, fd)
finders = [type(finder).__name__ for finder in sys.meta_path]
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ == "Finder"]
del sys.modules["_ctypes"]
import _ctypes
print(finders[0], type(_ctypes.__loader__).__name__)
"""

    assert _read(archive, program, "run", "box") == ["Finder", "ExtensionFileLoader"]


def test_nothing_that_only_type_checkers_read_is_in_it(archive: Path) -> None:
    program = """
assert names["load"](site, head, fd)
from wharf.runtime import state, operations
print(state.__dict__.get("__annotations__"), operations.remove.__annotations__, hasattr(state, "annotations"))
"""

    assert _read(archive, program, "kill", "box") == ["None", "{}", "False"]


def test_a_module_that_is_not_as_it_was_makes_it_worth_nothing(archive: Path) -> None:
    program = """
section = names["_read"](fd, head["sections"]["state"])
name, (file, time, size) = section["files"][-1]
section["files"][-1] = (name, (file, time + 1, size))
names["_read"] = lambda fd, place: section
print(names["load"](site, head, fd), any(name.startswith("wharf") for name in sys.modules))
"""

    assert _read(archive, program, "state", "box") == ["False", "False"]


def test_a_signal_is_sent_without_modules_that_only_name_signals(archive: Path) -> None:
    program = """
assert names["load"](site, head, fd)
from wharf.lib.signals import parse_signal
print(parse_signal("TERM"), "signal" in sys.modules, "enum" in sys.modules)
"""

    assert _read(archive, program, "kill", "box") == ["15", "False", "False"]


def test_what_nearly_all_containers_want_is_loaded_with_the_command(archive: Path) -> None:
    program = """
assert names["load"](site, head, fd)
usual = ("wharf.kernel.cgroup.plan", "wharf.runtime.execution", "wharf.lib.signals")
print(*(name in sys.modules for name in usual))
"""

    assert _read(archive, program, "run", "box") == ["True", "False", "False"]
    assert _read(archive, program, "exec", "box") == ["False", "True", "False"]
    assert _read(archive, program, "kill", "box") == ["False", "False", "True"]
