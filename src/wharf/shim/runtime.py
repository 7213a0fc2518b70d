"""What the shim needs of the runtime, so that tests can bring a smaller one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from wharf.kernel.cgroup.group import Cgroup
    from wharf.runtime import errors
    from wharf.runtime.checkpoint import Wanted
    from wharf.runtime.embryo import Expected
    from wharf.runtime.invocation import Invocation
    from wharf.spec.oci_runtime import Process, Spec
    from wharf.spec.shim_messages import RootfsMount

    Stdio = tuple[int, int, int]

    class Started(Protocol):
        """A process that has been created; the holder owns ``pidfd`` and ``console``."""

        pid: int
        pidfd: int
        console: int | None

        def let_mounts_go(self) -> None:
            """Take the mounts apart, once it has ended."""

        @property
        def steps(self) -> dict[str, int]:
            """Microseconds each step took."""

        def start(self) -> None:
            """Let it execute its program."""

        def abort(self) -> None:
            """Kill and reap it instead."""

    class Runtime(Protocol):
        """Creates processes in namespaces: :mod:`wharf.runtime`, or a test's."""

        @property
        def StartFailed(self) -> type[errors.StartFailed]:  # noqa: N802  # a class's name
            """What create, execute and start raise."""

        def expect(self, usual: Spec, seccomp_cache: str) -> Expected:
            """Work out what containers like ``usual`` need, once for all that will be conceived."""

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
        ) -> Started:
            """Create the container's init; ``stdio`` is None for a terminal."""

        def dump(self, spec: Spec, pid: int, wanted: Wanted, *, freezer: str) -> None:
            """Save the processes of the container of init ``pid``."""

        def restore(
            self,
            spec: Spec,
            wanted: Wanted,
            *,
            bundle: str,
            rootfs_mounts: list[RootfsMount],
            stdio: Stdio | None,
            cgroup: Cgroup,
        ) -> Started:
            """Bring a saved container back."""

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
