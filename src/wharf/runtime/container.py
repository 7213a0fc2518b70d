"""Create a container's first process."""

from __future__ import annotations

import os

from wharf.kernel import mount, unix_socket
from wharf.kernel.clone import clone3
from wharf.kernel.namespace import FLAG_OF
from wharf.kernel.userns import inside
from wharf.runtime import conversation, filters, init, mounts, namespaces
from wharf.runtime.birth import Gate
from wharf.runtime.errors import StartFailed
from wharf.runtime.invocation import Invocation
from wharf.runtime.started import Started
from wharf.runtime.steps import Steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket as socket
    from collections.abc import Sequence
    from typing import Final

    from wharf.runtime.birth import Cgroup, CgroupEntry
    from wharf.runtime.checkpoint import dump, restore
    from wharf.runtime.embryo import Expected
    from wharf.runtime.execution import execute
    from wharf.runtime.filters import Filter
    from wharf.runtime.idmap import Opened
    from wharf.runtime.init import InitPlan
    from wharf.spec.oci_runtime import Spec
    from wharf.spec.shim_messages import RootfsMount

__all__ = ["StartFailed", "Started", "create", "dump", "execute", "expect", "restore"]

_NEWUSER: Final = FLAG_OF["user"]


def __getattr__(name: str) -> object:
    """Load what is asked for (PEP 562): a command that creates does not pay for the rest."""
    if name == "execute":
        from wharf.runtime import execution  # noqa: PLC0415 - start-up

        return execution.execute
    if name in ("dump", "restore"):
        from wharf.runtime import checkpoint  # noqa: PLC0415 - start-up, and few ever want it

        return getattr(checkpoint, name)
    raise AttributeError(name)


def create(
    spec: Spec,
    *,
    bundle: str,
    rootfs: Sequence[RootfsMount] = (),
    stdio: tuple[int, int, int] | None,
    cgroup: Cgroup | None,
    seccomp_cache: str | None,
    invocation: Invocation | None = None,
) -> Started:
    """Create the process of ``spec`` in its namespaces, ready for its exec; the caller is its parent and reaps it.

    It dies with its parent until it is started; with a ``start_socket``, until :meth:`Started.release`.

    Args:
        spec: config.json.
        bundle: folder that relative paths in it are below.
        rootfs: mounts that make the root, in the container's mount namespace only; none: root.path is the root.
        stdio: its 0, 1 and 2, kept open for the caller; ignored with ``process.terminal``, when it gets a terminal.
        cgroup: its control group, made and limited; None leaves it in the caller's.
        seccomp_cache: folder of compiled filters; None keeps none.
        invocation: what else is asked for.

    Raises:
        StartFailed: nothing of the process is left then.
    """
    steps = Steps()
    invocation = invocation or Invocation()
    plan = init.plan(spec, bundle, rootfs, _filter(spec, seccomp_cache), invocation)
    mount.load()
    steps.done("plan")
    here, there = unix_socket.pair()
    entry: CgroupEntry | None = None
    try:
        entry = _open_entry(cgroup)
        into = entry.v2 if entry is not None and entry.v2 >= 0 else None
        with _opened(plan), _entered(plan):
            pid, pidfd = _clone(plan, into)
            if pid == 0:
                init.run(plan, Gate(there, invocation.start_socket), None if plan.terminal else stdio, entry, steps)
        steps.done("clone3")
    except OSError as error:
        here.close()
        raise StartFailed("other", f"unable to start container process: {_text(error)}") from error
    except BaseException:
        here.close()
        raise
    finally:
        there.close()
        if entry is not None:
            entry.close()
    started = Started(pid, pidfd, here, steps, plan.warnings)
    _map_ids(started, plan, here)
    _make_ready(started, plan, here)
    started.wait_ready()
    return started


# What follows is loaded by those who ask for it alone: start-up is a budget.


class _Nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _opened(plan: InitPlan) -> Opened | _Nothing:
    # Mapped root may reach less than we do; but a plain user has no right to copy mounts out here. And another
    # container's processes are found by their id in our pid namespace.
    nobody = plan.namespaces.has("user") and os.geteuid() == 0
    wanted = [
        one
        for one in plan.mounts
        if one.options.maps is not None or (one.fstype == "bind" and (nobody or one.options.mounts_of))
    ]
    if not wanted and not plan.root.idmap:
        return _Nothing()
    from wharf.runtime import idmap  # noqa: PLC0415 - see above

    return idmap.Opened(wanted, mounts.open_source, plan.namespaces, plan.root)


def _is_one_way(plan: InitPlan) -> bool:
    """Whether we, once in the namespaces to join, could not come back to ours."""
    return bool(plan.namespaces.join or plan.namespaces.time) and inside()


def _entered(plan: InitPlan) -> namespaces.Entered | _Nothing:
    return _Nothing() if _is_one_way(plan) else namespaces.Entered(plan.namespaces)


def _clone(plan: InitPlan, into: int | None) -> tuple[int, int]:
    path = plan.namespaces.own_join.get("user")
    if path is not None:
        from wharf.runtime import userns  # noqa: PLC0415 - see above

        return userns.clone_inside(path, plan.namespaces.clone, cgroup_fd=into)
    if _is_one_way(plan):
        from wharf.runtime import userns  # noqa: PLC0415 - see above

        return userns.clone_ahead(
            namespaces.Entered(plan.namespaces).__enter__, plan.namespaces.clone, cgroup_fd=into
        )
    return clone3(plan.namespaces.clone, cgroup_fd=into)


def expect(usual: Spec, seccomp_cache: str) -> Expected:
    """Work out what containers like ``usual`` need, for all the embryos to come.

    Raises:
        StartFailed: it is not a valid document, or libseccomp is missing.
    """
    from wharf.runtime.embryo import Expected  # noqa: PLC0415 - see above

    return Expected(usual, _filter(usual, seccomp_cache))


def _filter(spec: Spec, cache: str | None) -> Filter:
    try:
        return filters.load((spec.get("linux") or {}).get("seccomp"), cache)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise StartFailed("invalid", f"config.json is not as the specification says: {error!r}") from error


def _open_entry(cgroup: Cgroup | None) -> CgroupEntry | None:
    return None if cgroup is None else cgroup.open_entry()


def _map_ids(started: Started, plan: InitPlan, sock: socket.socket) -> None:
    if not plan.namespaces.clone & _NEWUSER:
        return
    try:
        namespaces.write_maps(started.pid, plan.namespaces)
        conversation.send(sock, "mapped")
    except OSError as error:
        started.abort()
        raise StartFailed("other", f"unable to start container process: writing id maps: {_text(error)}") from error


def _make_ready(started: Started, plan: InitPlan, sock: socket.socket) -> None:
    """Move network devices, and run the hooks that belong to the runtime's namespaces."""
    try:
        if plan.net_devices:
            from wharf.runtime import netdevices  # noqa: PLC0415 - see above

            netdevices.move(plan.net_devices, started.pid)
        if plan.hooks is None or not plan.hooks.at("prestart", "createRuntime"):
            return
        conversation.expect(sock, "mounted")
        for point in ("prestart", "createRuntime"):
            plan.hooks.run(point, started.pid)
        conversation.send(sock, "hooked")
    except BaseException:
        started.abort()
        raise


def _text(error: OSError) -> str:
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    return f"{error.filename}: {reason}" if error.filename else reason
