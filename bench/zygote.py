"""A container's process by an engine's shortest way: a request to the zygote, without images, API or records."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from bench.raw_http import UnexpectedAnswer
from wharf.kernel.cgroup.group import open_cgroup
from wharf.processes.processes import Processes
from wharf.spec.oci_runtime import Spec
from wharf.spec.shim_messages import SpawnRequest
from wharf.storage.layout import RunRoot

_GROUPS = "/wharf/bench-zygote"


class Zygote:
    """A zygote of our own that runs the bundle's program; see :func:`running`."""

    def __init__(self, runner: asyncio.Runner, processes: Processes, bundle: Path, scratch: Path) -> None:
        self._runner = runner
        self._processes = processes
        self._spec = _spec_of(bundle)
        self._lower = self._spec["root"]["path"]
        self._scratch = scratch

    def run_ms(self, number: int) -> float:
        """Return the milliseconds from the request to the end of the process."""
        name = f"bench-{number}"
        folder = self._scratch / name
        for each in ("upper", "work"):
            (folder / each).mkdir(parents=True)
        spec: Spec = {**self._spec, "root": {"path": "upper"}}
        request: SpawnRequest = {
            "id": name,
            "bundle": str(folder),
            "cgroup": f"{_GROUPS}/{name}",
            "terminal": False,
            "own_pids": True,
            "rootfs": [
                {
                    "type": "overlay",
                    "source": "overlay",
                    "options": [f"lowerdir+={self._lower}", f"upperdir={folder}/upper", f"workdir={folder}/work"],
                }
            ],
            "shim_dir": str(RunRoot(self._scratch).shim(name)),
            "seccomp_cache": str(self._scratch / "seccomp"),
            "open_stdin": False,
            "stdin_once": False,
            "log": {"driver": "none", "path": ""},
            "attachments": [],
        }
        return self._runner.run(self._run_ms(request, spec))

    async def _run_ms(self, request: SpawnRequest, spec: Spec) -> float:
        start = time.perf_counter()
        shim = await self._processes.spawn(request, spec)
        ended = await shim.exited
        elapsed = time.perf_counter() - start
        shim.forget()
        await shim.released
        if ended["exit_code"]:
            raise UnexpectedAnswer(f"the process ended with {ended['exit_code']}")
        return elapsed * 1e3


@contextmanager
def running(bundle: Path, scratch: Path) -> Iterator[Zygote]:
    """Start a zygote that expects containers like ``bundle``; it works below ``scratch``, and ends in the end."""
    spec = _spec_of(bundle)
    with asyncio.Runner() as runner:
        processes = Processes(RunRoot(scratch), spec)
        runner.run(processes.start())
        try:
            yield Zygote(runner, processes, bundle, scratch)
        finally:
            runner.run(processes.aclose())
            open_cgroup(_GROUPS).delete()


def _spec_of(bundle: Path) -> Spec:
    """Return the bundle's config.json but for its cgroup namespace: with groups of v1 an engine gives none."""
    spec = cast("Spec", json.loads((bundle / "config.json").read_bytes()))
    kept = [entry for entry in spec["linux"]["namespaces"] if entry["type"] != "cgroup"]
    return {**spec, "linux": {**spec["linux"], "namespaces": kept}}
