"""``os`` without the abstract collections; each in an interpreter of its own that has not loaded it yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_MODULE = Path(__file__).parents[3] / "src/wharf/runtime/light_os.py"
_LOAD = f"""
import sys
text = open({str(_MODULE)!r}).read()
exec(compile(text, "light_os", "exec"), {{"__name__": "light_os"}})
"""


def _say(program: str, before: str = "") -> str:
    line = [sys.executable, "-I", "-S", "-c", before + _LOAD + program]
    done = subprocess.run(line, capture_output=True, text=True, check=True, env={"A": "1", "LC_ALL": "C.UTF-8"})
    return done.stdout.strip()


def test_os_is_loaded_without_them_and_whoever_imports_them_gets_the_real_ones() -> None:
    program = """
there = "os" in sys.modules, "_collections_abc" in sys.modules
from _collections_abc import Sequence, MutableMapping
import os
print(*there, issubclass(list, Sequence), isinstance(os.environ, MutableMapping))
"""

    assert _say(program) == "True False True False"


def test_the_environment_can_be_read_and_changed_as_a_dictionary() -> None:
    program = """
import os
one = os.environ
first = dict(one), "A" in one, "C" in one, one.get("C"), one.get("C", "x"), {**one}
lists = sorted(one.keys()), sorted(one.values())
one.update({"C": "3"}, D="4")
second = one.pop("A"), one.pop("A", None), os.getenv("C"), sorted(one.items()), one == dict(one), one == {}
try:
    one.pop("A")
except KeyError as error:
    third = str(error)
merged = one | {"E": "5"}
one.clear()
print((first, lists, second, third, merged, len(one)))
"""
    both = {"A": "1", "LC_ALL": "C.UTF-8"}
    expected = (
        (both, True, False, None, "x", both),
        (["A", "LC_ALL"], ["1", "C.UTF-8"]),
        ("1", None, "3", [("C", "3"), ("D", "4"), ("LC_ALL", "C.UTF-8")], True, False),
        "'A'",
        {"LC_ALL": "C.UTF-8", "C": "3", "D": "4", "E": "5"},
        0,
    )

    assert _say(program) == str(expected)


def test_a_change_of_the_environment_is_seen_by_programs() -> None:
    program = """
import os
os.environ["C"] = "3"
os.environ.pop("A")
sys.stdout.flush()
os.system("echo $A$C")
"""

    assert _say(program) == "3"


def test_what_is_a_path_is_still_known() -> None:
    program = """
import os
class Path:
    def __fspath__(self): return "/x"
class Closed(Path):
    __fspath__ = None
print(*(isinstance(one, os.PathLike) for one in (Path(), Closed(), "")), os.fspath(Path()))
"""

    assert _say(program) == "True False False /x"


def test_an_os_that_is_there_already_stays() -> None:
    program = """
import os
print(os is before, isinstance(os.environ, sys.modules["_collections_abc"].MutableMapping))
"""

    assert _say(program, "import os as before") == "True True"


def test_an_os_that_wants_more_gets_it() -> None:
    other = """
import sys
class Other:
    def find_spec(self, name, path=None, target=None):
        if name == "os":
            from importlib.machinery import ModuleSpec
            return ModuleSpec(name, self)
    def create_module(self, spec): return None
    def exec_module(self, module):
        from _collections_abc import Sequence
        module.has = Sequence
sys.meta_path.insert(0, Other())
"""

    assert _say("import os; print(os.has.__name__)", other) == "Sequence"
