"""``update`` and ``exec`` of ``wharf-runtime`` with documents near the specification, on a container that runs."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from fuzz.runtime_config import GROUP, RUNTIME, SET_CHILD_SUBREAPER
from fuzz.strategies import Schema, junk
from wharf.runtime import documents

_SCHEMA: Final = Schema()
_TIMEOUT_S: Final = 20
_PROCESS: Final[dict[str, Any]] = {"args": ["true"], "cwd": "/", "env": ["PATH=/bin"]}


def _schema_of(*names: str) -> dict[str, Any]:
    found = _SCHEMA.top
    for name in names:
        found = _SCHEMA.resolved(found)["properties"][name]
    return _SCHEMA.resolved(found)


def changes(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return some properties of what is at this place of config.json, with values that fit or do not."""
    inner = _schema_of(*names)["properties"]
    one = st.sampled_from(sorted(inner)).flatmap(
        lambda name: st.tuples(st.just(name), _SCHEMA.fitting(inner[name]) | _SCHEMA.fitting(inner[name]) | junk())
    )
    return st.lists(one, min_size=1, max_size=3).map(dict)


class Box:
    """A container that runs, made anew when something has ended it: limits may."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._line = [*RUNTIME, "--root", str(scratch / "state")]
        (scratch / "rootfs/bin").mkdir(parents=True)
        for name in ("true", "sleep"):
            (scratch / f"rootfs/bin/{name}").write_bytes(Path("/bin/busybox").read_bytes())
            (scratch / f"rootfs/bin/{name}").chmod(0o755)
        document: Any = documents.default_spec()
        document["process"] |= {"terminal": False, "args": ["sleep", "100000"]}
        document["root"] = {"path": "rootfs"}
        document["linux"]["cgroupsPath"] = f"{GROUP}/c2"
        (scratch / "config.json").write_text(json.dumps(document))

    def _call(self, *words: str) -> tuple[int, str]:
        with (self._scratch / "said").open("w+") as said:  # no pipe: what runs on would keep it open
            done = subprocess.run(
                [*self._line, *words],
                cwd=self._scratch,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                timeout=_TIMEOUT_S,
                check=False,
            )
        return done.returncode, (self._scratch / "said").read_text()

    def give(self, document: object, *words: str) -> tuple[int, str]:
        """Call a command with a file of this document; return its exit code and what it said."""
        if self._call("kill", "c2", "0")[0]:
            self.end()
            code, said = self._call("run", "--detach", "c2")
            assert code == 0, said
        (self._scratch / "document").write_text(json.dumps(document))
        return self._call(*words)

    def end(self) -> None:
        """Remove the container, and reap."""
        assert self._call("delete", "--force", "c2")[0] == 0
        with suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)
        left = list(Path("/sys/fs/cgroup").glob(f"*{GROUP}/c2"))
        assert not left, left


@contextmanager
def _box() -> Iterator[Box]:
    with tempfile.TemporaryDirectory(prefix="wharf-fuzz.") as folder:
        Path(folder).chmod(0o755)
        box = Box(Path(folder))
        yield box
        box.end()
    for parent in Path("/sys/fs/cgroup").glob(f"*{GROUP}"):
        parent.rmdir()


def fuzz_running(examples: int) -> None:
    """Try so many documents.

    Raises:
        AssertionError: with the smallest that went wrong.
    """
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    update = changes("linux", "resources").map(lambda found: ("update --resources document c2", found))
    exec_ = changes("process").map(
        lambda found: ("exec --process document c2", {**_PROCESS, **found, "terminal": False})
    )
    with _box() as box:

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        )
        @given(update | exec_)
        def no_traceback(asked: tuple[str, Any]) -> None:
            note(json.dumps(asked))
            code, said = box.give(asked[1], *asked[0].split())
            assert "Traceback" not in said, said
            assert code == 0 or said, f"exit code {code} without a word"

        no_traceback()
