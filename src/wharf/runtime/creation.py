"""create and run (runtime.md "Operations"): the commands that bring a container about."""

from __future__ import annotations

import os

from wharf.errors import Conflict, Forbidden, InvalidArgument, NotFound
from wharf.kernel import unix_socket
from wharf.kernel.libc import suppress_errno
from wharf.lib.light_json import loads
from wharf.runtime import caller, delegation, devices, operations, sealing, shape, state
from wharf.runtime.container import create as create_process
from wharf.runtime.invocation import Invocation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.kernel.cgroup.group import Cgroup
    from wharf.runtime.caller import Asked
    from wharf.runtime.started import Started
    from wharf.runtime.state import Folder, Record
    from wharf.runtime.systemd import Scope
    from wharf.spec.oci_runtime import IntelRdt, Resources, Spec


def create(folder: Folder, bundle: str, asked: Asked) -> tuple[Started, Record, Spec]:
    """Create a container; undone by :func:`operations.delete`, and by itself on failure.

    Its init waits to be started: in ``start.sock`` if ``asked.waits``, else for this process.
    """
    folder.refuse_taken()
    bundle = os.path.realpath(bundle)
    spec = load_spec(bundle)
    if sealing.wanted(spec, bundle):
        sealing.ensure()
    caller.check_console(spec.get("process") or {}, asked)
    scope = _scope(spec, folder.id) if asked.systemd else None
    cgroup = scope.path if scope else cgroup_path(spec, folder.id)
    group = folder.group(cgroup)
    refuse_others(group)
    record = folder.make(spec, bundle, cgroup)
    try:
        with _Nothing() if scope is None else scope:
            started = _create_init(folder, record, spec, group, asked)
        try:
            if rdt := (spec.get("linux") or {}).get("intelRdt"):
                record["resctrl"] = enter_class(rdt, folder.id, started.pid)
            caller.announce(started, asked)
            record["pid"], record["start_time"] = started.pid, state.start_time(started.pid) or 0
            folder.save(record)
            if asked.waits:
                started.release()
        except BaseException:
            started.abort()
            raise
    except BaseException:
        operations.remove(folder, record, spec, asked.warn)
        raise
    return started, record, spec


def _create_init(folder: Folder, record: Record, spec: Spec, group: Cgroup, asked: Asked) -> Started:
    kept_fds = caller.kept_fds(spec.get("process") or {}, asked)
    listener = unix_socket.listen(folder.socket) if asked.waits else None
    try:
        return create_process(
            spec,
            bundle=record["bundle"],
            stdio=(0, 1, 2),
            cgroup=make_cgroup(group, spec),
            seccomp_cache=folder.filters,
            invocation=Invocation(
                start_socket=listener,
                state=folder.told(record),
                kept_fds=kept_fds,
                pivot=asked.pivot,
                new_keyring=asked.keyring,
            ),
        )
    finally:
        if listener is not None:
            listener.close()


def run(folder: Folder, bundle: str, asked: Asked, *, keep: bool) -> int:
    """Create, start and (unless detached) wait for a container and delete it; return its exit code."""
    started, record, spec = create(folder, bundle, asked)
    try:
        forward = operations.Forward(started.pid)
        operations.let_execute(folder, record, spec, started.execute, asked.warn)
        if asked.detach:
            return 0
        code = operations.follow(started, forward)
    except BaseException:
        started.abort()  # it may have ended already: whoever runs us must not inherit it
        with suppress_errno(2):  # ENOENT: a hook that failed has had it deleted
            operations.delete(folder, asked.warn, force=True)
        raise
    if not keep:
        with suppress_errno(2):  # ENOENT: somebody was faster
            operations.remove(folder, record, spec, asked.warn)
    return code


def load_spec(bundle: str) -> Spec:
    """Return a bundle's config.json, of the right shape.

    Raises:
        NotFound: there is none.
        InvalidArgument: it is another document.
    """
    try:
        with open(f"{bundle}/config.json", encoding="utf-8") as file:
            spec = loads(file.read())
    except FileNotFoundError:
        raise NotFound(f"JSON specification file {bundle}/config.json not found") from None
    except (ValueError, RecursionError) as error:
        raise InvalidArgument(f"{bundle}/config.json: {error}") from error
    shape.check(spec, shape.SPEC)
    if not spec.get("ociVersion"):  # type: ignore[attr-defined]  # just checked
        raise InvalidArgument(f"{bundle}/config.json has no ociVersion, which says what its specification is")
    return spec  # type: ignore[return-value]  # just checked


def cgroup_path(spec: Spec, container_id: str) -> str:
    """Return the path of a container's control group."""
    path = (spec.get("linux") or {}).get("cgroupsPath") or f"/wharf/runtime/{container_id}"
    if ":" in path:
        raise InvalidArgument(f"cgroupsPath {path} is meant for systemd: use --systemd-cgroup")
    return "/" + path.strip("/")


class _Nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _scope(spec: Spec, container_id: str) -> Scope:
    from wharf.runtime import systemd  # noqa: PLC0415 - start-up

    linux = spec.get("linux") or {}
    unit = systemd.unit_of(linux.get("cgroupsPath") or "", container_id)
    return systemd.Scope(unit, linux.get("resources") or {})


def refuse_others(group: Cgroup) -> None:
    """Refuse a control group that somebody is in: it would be limited, frozen, and in the end killed as a whole."""
    if group.exists and (pids := group.procs()):
        raise Conflict(f"container's cgroup is not empty: {len(pids)} process(es) found in {group.path}")


def make_cgroup(group: Cgroup, spec: Spec) -> Cgroup | None:
    """Make a container's control group, and limit it; None for a plain user who may not, and wants no limits.

    Raises:
        Forbidden: a plain user wants limits.
    """
    try:
        group.create()
    except PermissionError as error:
        if os.geteuid() == 0:
            raise
        limits = [name for name, value in ((spec.get("linux") or {}).get("resources") or {}).items() if value]
        if limits:
            raise Forbidden(f"limits ({', '.join(limits)}) need a control group of your own: {error}") from error
        return None
    resources: Resources = {**((spec.get("linux") or {}).get("resources") or {})}
    if rules := resources.get("devices"):
        resources["devices"] = [*rules, *devices.DEFAULT_RULES]
    group.apply(resources)
    if uid := delegation.owner(spec):  # root has it already
        _give_away(group, uid)
    return group


def _give_away(group: Cgroup, uid: int) -> None:
    from wharf.kernel.cgroup.delegation import delegate  # noqa: PLC0415 - start-up

    delegate(group.freezer_folder, uid)  # on a pure v2 that is the group's only folder


def enter_class(wanted: IntelRdt, container_id: str, pid: int) -> list[str]:
    """Put a process into its class of service; return what :mod:`wharf.runtime.resctrl` made for it."""
    from wharf.runtime import resctrl  # noqa: PLC0415 - the same

    return resctrl.enter(resctrl.find(), resctrl.Class(wanted, container_id), pid)
