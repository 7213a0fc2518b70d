"""A runtime whose containers have hooks, as the devices that vendors describe bring them (CDI SPEC.md "hooks").

Hooks are told of a bundle, and read its config.json, some to find the root. The engine's containers have none, so
one is written into the shim's folder, and goes with it.
"""

from __future__ import annotations

import os
import sys

from wharf.lib import light_json
from wharf.runtime import hooks
from wharf.runtime.invocation import Invocation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.kernel.cgroup.group import Cgroup
    from wharf.runtime.hooks import HookPlan
    from wharf.shim.runtime import Runtime, Started, Stdio
    from wharf.spec.oci_runtime import Spec, State
    from wharf.spec.shim_messages import RootfsMount, SpawnRequest


class HookedRuntime:
    """``runtime``, with hooks at every point of a container's life (config.md "POSIX-platform Hooks").

    Those of a container that is brought back from a checkpoint do not run, as with runc.
    """

    def __init__(self, runtime: Runtime, request: SpawnRequest) -> None:
        self.StartFailed = runtime.StartFailed
        self.expect = runtime.expect
        self.execute = runtime.execute
        self.dump = runtime.dump
        self.restore = runtime.restore
        self._create = runtime.create
        self._state: State = {"ociVersion": "", "id": request["id"], "bundle": request["shim_dir"]}

    def create(
        self,
        spec: Spec,
        *,
        bundle: str,
        rootfs: list[RootfsMount],
        stdio: Stdio | None,
        cgroup: Cgroup,
        seccomp_cache: str,
        invocation: Invocation | None = None,
    ) -> HookedStarted:
        """Create the container's init; see :func:`wharf.runtime.container.create`."""
        del invocation
        told: State = {**self._state, "ociVersion": spec["ociVersion"], "annotations": spec.get("annotations") or {}}
        planned = hooks.plan(spec["hooks"], told)
        _write_config(told["bundle"], spec, bundle)
        try:
            started = self._create(
                spec,
                bundle=bundle,
                rootfs=rootfs,
                stdio=stdio,
                cgroup=cgroup,
                seccomp_cache=seccomp_cache,
                invocation=Invocation(state=told),
            )
        except self.StartFailed:
            planned.run_all("poststop", 0, _warn)
            raise
        return HookedStarted(started, planned)


class HookedStarted:
    """A created process that has hooks after its start and after its end."""

    def __init__(self, started: Started, planned: HookPlan) -> None:
        self.pid = started.pid
        self.pidfd = started.pidfd
        self.console = started.console
        self._started = started
        self._planned = planned

    @property
    def steps(self) -> dict[str, int]:
        """Microseconds each step took."""
        return self._started.steps

    def start(self) -> None:
        """Let it execute its program; then run its poststart hooks."""
        self._started.start()
        self._planned.run("poststart", self.pid)

    def abort(self) -> None:
        """Kill and reap it instead; then run its poststop hooks."""
        self._started.abort()
        self._planned.run_all("poststop", 0, _warn)

    def let_mounts_go(self) -> None:
        """Take the mounts apart, once it has ended; then run its poststop hooks."""
        self._started.let_mounts_go()
        self._planned.run_all("poststop", 0, _warn)


def _write_config(folder: str, spec: Spec, bundle: str) -> None:
    """Write config.json for hooks to read: with the root's absolute path, for it is not in the same folder."""
    root = spec["root"]
    document = {**spec, "root": {**root, "path": os.path.join(bundle, root["path"])}}
    fd = os.open(f"{folder}/config.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(fd, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(light_json.dumps(document))


def _warn(text: str) -> None:
    sys.stderr.write(f"{text}\n")
