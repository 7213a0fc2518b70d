"""``wharf-runtime run`` with documents near the specification, sometimes killed half-way; nothing may be left."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from fuzz.strategies import Schema, junk
from wharf.runtime import documents

_PROGRAM = """\
import sys
sys.path.insert(0, sys.argv.pop(1))
from wharf.runtime.cli import main
sys.exit(main())
"""
RUNTIME = [sys.executable, "-BI", "-c", _PROGRAM, str(Path(__file__).parent.parent / "src")]
_TIMEOUT_S = 20
GROUP = "/wharf-fuzz"
_FILTERS = "@seccomp"  # compiled, for all containers to come
SET_CHILD_SUBREAPER = 36

_SCHEMA = Schema()
_PATHS = list(_SCHEMA.paths(_SCHEMA.top))


def patches() -> st.SearchStrategy[list[tuple[tuple[str, ...], Any]]]:
    """Return what to change in a document that works: (path, new value)."""

    def change(found: tuple[tuple[str, ...], Any]) -> st.SearchStrategy[tuple[tuple[str, ...], Any]]:
        path, schema = found
        fitting = _SCHEMA.fitting(schema)
        return st.tuples(st.just(path), fitting | fitting | junk())

    one = st.sampled_from(_PATHS).flatmap(change)
    return st.lists(one, min_size=1, max_size=4)


def patched(changes: list[tuple[tuple[str, ...], Any]], scratch: Path) -> dict[str, Any]:
    """Return a document with these changes, and with nothing in it that would reach beyond the scratch folder."""
    document: Any = copy.deepcopy(documents.default_spec())
    document["process"] |= {"terminal": False, "args": ["true"]}
    document["root"] = {"path": "rootfs"}
    for path, value in changes:
        at = document
        for name in path[:-1]:
            at = at.setdefault(name, {}) if isinstance(at, dict) else {}
            at = at if isinstance(at, dict) else {}
        at[path[-1]] = value
    return _tamed(document, scratch)


def _tamed(document: dict[str, Any], scratch: Path) -> dict[str, Any]:
    root, linux, mounts = document.get("root"), document.get("linux"), document.get("mounts")
    if isinstance(root, dict) and isinstance(root.get("path"), str):
        root["path"] = "rootfs"
    if isinstance(linux, dict):
        linux["cgroupsPath"] = f"{GROUP}/c1"
    for mount in mounts if isinstance(mounts, list) else ():
        if isinstance(mount, dict) and isinstance(mount.get("source"), str) and mount["source"].startswith("/"):
            mount["source"] = str(scratch / "source")
    return document


class Bench:
    """A bundle to run in, and a look at what is left."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self._state = scratch / "state"
        self._mounts = Path("/proc/self/mountinfo").read_text()
        (scratch / "source").mkdir()

    def run(self, document: Any, kill_after_s: float | None) -> tuple[int | None, str]:
        """Run the document; return the exit code (None: it was killed) and what was said."""
        shutil.rmtree(self.scratch / "rootfs", ignore_errors=True)
        (self.scratch / "rootfs/bin").mkdir(parents=True)
        shutil.copy("/bin/busybox", self.scratch / "rootfs/bin/true")
        (self.scratch / "config.json").write_text(json.dumps(document))
        command = subprocess.Popen(
            [*RUNTIME, "--root", str(self._state), "run", "--bundle", str(self.scratch), "c1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            _, said = command.communicate(timeout=kill_after_s or _TIMEOUT_S)
        except subprocess.TimeoutExpired:
            command.kill()
            command.wait()
            self._delete()  # first: what was created, and is not started yet, holds the pipe open
            _, said = command.communicate()
            return None, said.decode(errors="replace")
        return command.returncode, said.decode(errors="replace")

    def _delete(self) -> None:
        subprocess.run(
            [*RUNTIME, "--root", str(self._state), "delete", "--force", "c1"], timeout=_TIMEOUT_S, check=True
        )

    def left(self) -> list[str]:
        """Return what is left of the container; the dead are reaped."""
        kept = os.listdir(self._state) if self._state.exists() else []
        found = [f"state {name}" for name in kept if name != _FILTERS]
        found += [f"group {path}" for path in Path("/sys/fs/cgroup").glob(f"*{GROUP}/c1")]
        if Path("/proc/self/mountinfo").read_text() != self._mounts:
            found.append("a mount")
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            found.append("a process")
        return found


def fuzz(examples: int) -> None:
    """Try so many documents.

    Raises:
        AssertionError: with the smallest that went wrong.
    """
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with tempfile.TemporaryDirectory(prefix="wharf-fuzz.") as folder:
        Path(folder).chmod(0o755)
        bench = Bench(Path(folder))

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        )
        @given(patches(), st.none() | st.none() | st.floats(0.02, 0.15))
        def nothing_is_left(changes: list[tuple[tuple[str, ...], Any]], kill_after_s: float | None) -> None:
            document = patched(changes, bench.scratch)
            note(json.dumps(document))
            code, said = bench.run(document, kill_after_s)
            left = bench.left()
            assert "Traceback" not in said, said
            assert not left, (code, said, left)
            assert code in (0, None) or said or code > 1, f"exit code {code} without a word"

        nothing_is_left()
    for parent in Path("/sys/fs/cgroup").glob(f"*{GROUP}"):
        parent.rmdir()
