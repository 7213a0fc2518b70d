"""An attacker's container that runs, and a victim's, in its pid namespace, whose process waits to be started."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from tests.root import groups
from tests.root.escapes.weakened import Package
from tests.root.runtime.conftest import Bundle

from wharf.kernel import prctl


class Pair:
    """Both have ``capabilities`` and ``mounts``; for use as a context manager."""

    def __init__(self, bundle: Bundle, package: Package, capabilities: list[str], mounts: Sequence[Any] = ()) -> None:
        self._bundle = bundle
        self._package = package
        self._sets = dict.fromkeys(("bounding", "effective", "permitted"), capabilities)
        self._mounts = mounts
        self.victim = 0

    def __enter__(self) -> Self:
        prctl.set_child_subreaper()
        self._create("attacker", {"type": "pid"})
        self._do("start", "attacker")
        self._create("victim", {"type": "pid", "path": f"/proc/{self._pid('attacker')}/ns/pid"})
        self.victim = self._inner_pid("victim")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in ("victim", "attacker"):
            self._package.command(self._bundle, "delete", "--force", name)
            with suppress(ChildProcessError):  # the first of a pid namespace ends when all others have been reaped
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
        prctl.prctl(prctl.Option.SET_CHILD_SUBREAPER, 0)

    def look(self, *command: str, options: Sequence[str] = ()) -> str:
        """Return what a command prints in the attacker's container."""
        return self._package.command(self._bundle, "exec", *options, "attacker", *command).stdout

    def _create(self, name: str, pid: dict[str, str]) -> None:
        spec = self._bundle.spec(["sh", "-c", "while :; do sleep 60; done"], capabilities=self._sets)
        spec["root"]["path"] = "lower"
        spec["mounts"] += self._mounts
        spec["linux"]["cgroupsPath"] = f"{groups.PARENT}/{self._bundle.path.name}-{name}"
        spec["linux"]["namespaces"] = [pid, *({"type": kind} for kind in ("mount", "uts", "ipc"))]
        (self._bundle.path / "config.json").write_text(json.dumps(spec))
        self._do("create", name)

    def _do(self, *words: str) -> str:
        done = self._package.command(self._bundle, *words)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def _pid(self, name: str) -> int:
        return int(json.loads(self._do("state", name))["pid"])

    def _inner_pid(self, name: str) -> int:
        """Return the id that the process has in its own pid namespace."""
        with open(f"/proc/{self._pid(name)}/status", encoding="ascii") as file:
            return next(int(line.split()[-1]) for line in file if line.startswith("NSpid:"))
