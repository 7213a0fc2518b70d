"""What the shim needs of the runtime, so that tests can bring a smaller one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, Protocol

    from wharf.kernel.cgroup.group import Cgroup
    from wharf.spec.oci_runtime import Process, Spec
    from wharf.spec.shim_messages import RootfsMount

    Stdio = tuple[int, int, int]

    class StartFailed(Exception):
        """Why a process could not be created or started."""

        kind: Literal["not-found", "not-executable", "invalid", "other"]
        message: str

    class Started(Protocol):
        """A process that has been created; the holder owns ``pidfd`` and ``console``."""

        pid: int
        pidfd: int
        console: int | None
        steps: dict[str, int]

        def start(self) -> None:
            """Let it execute its program."""

        def abort(self) -> None:
            """Kill and reap it instead."""

    class Runtime(Protocol):
        """Creates processes in namespaces: :mod:`wharf.runtime`, or a test's."""

        StartFailed: type[StartFailed]

        def create(
            self,
            spec: Spec,
            *,
            bundle: str,
            rootfs: list[RootfsMount],
            stdio: Stdio | None,
            cgroup: Cgroup,
            seccomp_cache: str,
        ) -> Started:
            """Create the container's init; ``stdio`` is None for a terminal."""

        def execute(
            self,
            process: Process,
            *,
            init_pid: int,
            spec: Spec,
            stdio: Stdio | None,
            cgroup: Cgroup,
            seccomp_cache: str,
        ) -> Started:
            """Start one more process in the container of ``init_pid``."""
