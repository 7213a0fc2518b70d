"""What is loaded at start-up: a budget for a single container, everything for those that are forked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_SOURCE = Path(__file__).parents[3] / "src"
_HEAVY = {"socket", "json", "enum", "re", "typing", "signal", "collections", "hashlib", "shutil", "subprocess"}


def loaded_by(module: str) -> set[str]:
    program = f"import sys; sys.path.insert(0, {str(_SOURCE)!r}); import {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_command_loads_nothing_heavy() -> None:
    assert loaded_by("wharf.runtime.commands.lifecycle") & _HEAVY == set()


def test_what_creates_many_has_loaded_all_that_one_may_ask_for() -> None:
    loaded = loaded_by("wharf.runtime.warm")

    assert {"_blake2", "wharf.runtime.execution", "wharf.runtime.notify", "wharf.kernel.seccomp"} <= loaded


def test_what_shims_are_forked_from_loads_nothing_that_they_do_not_use() -> None:
    heavy = _HEAVY | {"contextlib", "functools", "selectors", "traceback"}

    assert (loaded_by("wharf.runtime.warm") | loaded_by("wharf.shim.zygote")) & heavy == set()
