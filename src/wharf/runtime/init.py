"""A container's first process, from clone3 to execve: the order is that of runtime.md "Lifecycle"."""

from __future__ import annotations

import os

from wharf.kernel import keyring, link, namespace, prctl, uts
from wharf.kernel.namespace import FLAG_OF
from wharf.kernel.openat2 import ensure_folder
from wharf.runtime import (
    birth,
    console,
    conversation,
    devices,
    labels,
    mounts,
    namespaces,
    rootfs,
    support,
    sysctls,
)
from wharf.runtime.birth import ProcessPlan
from wharf.runtime.errors import during_init, invalid
from wharf.runtime.privileges import Privileges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Final, NoReturn

    from wharf.runtime.birth import CgroupEntry, Gate
    from wharf.runtime.filters import Filter
    from wharf.runtime.hooks import HookPlan
    from wharf.runtime.invocation import Invocation
    from wharf.runtime.notify import Agent
    from wharf.runtime.steps import Steps
    from wharf.spec.oci_runtime import Linux, Seccomp, Spec
    from wharf.spec.shim_messages import RootfsMount

_NEWCGROUP: Final = FLAG_OF["cgroup"]
_NEWUSER: Final = FLAG_OF["user"]
_NEWNET: Final = FLAG_OF["network"]


class InitPlan:
    """Everything init will do, decided by the parent; its repr prints it."""

    __slots__ = (
        "by_plain_user",
        "domainname",
        "enter",
        "hooks",
        "hostname",
        "invocation",
        "masked",
        "mounts",
        "namespaces",
        "net_devices",
        "nodes",
        "process",
        "read_only",
        "read_only_paths",
        "root",
        "sysctls",
        "terminal",
        "warnings",
    )

    def __init__(  # noqa: PLR0917 - a document and its parts
        self,
        spec: Spec,
        bundle: str,
        rootfs_mounts: Sequence[RootfsMount],
        process: ProcessPlan,
        hooks: HookPlan | None,
        invocation: Invocation,
    ) -> None:
        linux = spec.get("linux") or {}
        root = spec.get("root") or {}
        self.process = process
        self.hooks = hooks
        self.invocation = invocation
        self.enter = rootfs.enter if invocation.pivot else _enter_by_moving()
        self.terminal = bool((spec.get("process") or {}).get("terminal"))
        if self.terminal:
            console.load()
        self.namespaces = namespaces.plan(linux)
        self.by_plain_user = bool(self.namespaces.clone & _NEWUSER) and os.geteuid() != 0
        self.root = rootfs.plan(
            os.path.join(bundle, root.get("path", "")),
            rootfs_mounts,
            linux.get("rootfsPropagation") or "",
            detached=not self.namespaces.new_mount,
        )
        context, warnings = labels.mount_context(linux.get("mountLabel") or "")
        self.mounts = mounts.plan(
            spec.get("mounts") or (), bundle=bundle, context=context, warnings=warnings, linux=linux
        )
        self.warnings = [*process.warnings, *warnings]
        self.nodes = devices.plan(linux.get("devices") or (), self.mounts)
        self.read_only = bool(root.get("readonly"))
        self.masked = _absolute("maskedPaths", linux.get("maskedPaths") or ())
        self.read_only_paths = _absolute("readonlyPaths", linux.get("readonlyPaths") or ())
        self.net_devices = self._plan_net_devices(linux) if linux.get("netDevices") else []
        self.sysctls = sysctls.plan(linux.get("sysctl") or {}, self.namespaces)
        self.hostname = spec.get("hostname") or ""
        self.domainname = spec.get("domainname") or ""
        if (self.hostname or self.domainname) and not self.namespaces.has("uts"):
            name = "hostname" if self.hostname else "domainname"
            raise invalid(f"unable to set {name} without a private UTS namespace")

    def _plan_net_devices(self, linux: Linux) -> list[tuple[str, str]]:
        from wharf.runtime import netdevices  # noqa: PLC0415 - few want any: start-up

        return netdevices.plan(linux, self.namespaces)

    def __repr__(self) -> str:
        lines = [repr(self.namespaces), repr(self.root), *map(repr, self.mounts), *map(repr, self.nodes)]
        lines += [f"mask {path}" for path in self.masked] + [f"read-only {path}" for path in self.read_only_paths]
        lines += [f"sysctl {name}={value}" for name, value in self.sysctls]
        return "\n".join([*lines, repr(self.process)])


def _absolute(what: str, paths: Sequence[str]) -> list[str]:
    for path in paths:
        if not path.startswith("/"):
            raise invalid(f"{what}: {path} is not an absolute path")
    return list(paths)


def _enter_by_moving() -> Callable[[int, int], None]:
    from wharf.runtime import moved_root  # noqa: PLC0415 - few want it: start-up

    return moved_root.enter


def plan(
    spec: Spec, bundle: str, rootfs_mounts: Sequence[RootfsMount], seccomp: Filter, invocation: Invocation
) -> InitPlan:
    """Return what init will do.

    Args:
        spec: config.json.
        bundle: folder that relative paths in it are below.
        rootfs_mounts: mounts that make the root; none: root.path is the root.
        seccomp: the compiled filter of ``linux.seccomp``, used when there is one.
        invocation: what else is asked for.

    Raises:
        StartFailed: the document is wrong, or asks for what is not supported.
    """
    try:
        support.check(spec)
        if (spec.get("linux") or {}).get("intelRdt") and invocation.state is None:
            raise invalid("linux.intelRdt is for containers of the command line")
        process = spec.get("process") or {}
        document = (spec.get("linux") or {}).get("seccomp")
        wanted = Privileges(process, *(seccomp if document else (b"", 0)))
        wanted.agent = _agent(document, invocation) if document else None
        planned = ProcessPlan(process, wanted, spec.get("linux"))
        planned_hooks = _hooks(spec, invocation) if spec.get("hooks") else None
        return InitPlan(spec, bundle, rootfs_mounts, planned, planned_hooks, invocation)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise invalid(f"config.json is not as the specification says: {error!r}") from error


def _agent(document: Seccomp, invocation: Invocation) -> Agent | None:
    from wharf.runtime import notify  # noqa: PLC0415 - few want it: start-up

    return notify.plan(document, invocation.state)


def _hooks(spec: Spec, invocation: Invocation) -> HookPlan:
    from wharf.runtime import hooks  # noqa: PLC0415 - the same

    return hooks.plan(spec["hooks"], invocation.state)


def run(
    plan: InitPlan,
    gate: Gate,
    stdio: tuple[int, int, int] | None,
    entry: CgroupEntry | None,
    steps: Steps,
) -> NoReturn:
    """Be the container's init, in the child of clone3."""

    def body() -> None:
        steps.us.clear()
        steps.done("clone")
        birth.be_born(plan.process.handled, die_with_parent=True, traceable=plan.by_plain_user)
        birth.enter_group(entry, plan.process.oom)
        steps.done("cgroup")
        _settle(plan, gate, stdio)
        become(plan, gate, steps)

    birth.run(lambda: gate.sock, body)


def become(
    plan: InitPlan,
    gate: Gate,
    steps: Steps,
    *,
    ready: Mapping[str, int] | None = None,
    sysctls_folder: int = -1,
    enter_group: Callable[[], None] | None = None,
) -> NoReturn:
    """Make the container's world, from inside its namespaces, and execute its program.

    Args:
        plan: what to do.
        gate: tells when to execute.
        steps: the times so far.
        ready: mounts that are made already, by destination.
        sysctls_folder: a writable /proc/sys; -1: the host's.
        enter_group: goes into the control group; None: it has been done.
    """
    _name_it(plan)
    root, master = _make_world(plan, gate, steps, ready or {}, sysctls_folder)
    if enter_group is not None:
        enter_group()
        steps.done("group")
    birth.finish(
        plan.process,
        root,
        gate,
        master,
        steps,
        kept_fds=plan.invocation.kept_fds,
        before_exec=_start_hooks(plan),
    )


def _settle(plan: InitPlan, gate: Gate, stdio: tuple[int, int, int] | None) -> None:
    """Own nothing but what is needed, have a session, and be root in the new user namespace."""
    if stdio is not None:
        console.use_descriptors(stdio)
    keep = [gate.sock.fileno()] + ([] if gate.listener is None else [gate.listener.fileno()])
    keep += range(3, 3 + plan.invocation.kept_fds)
    keep += [fd for fd in (plan.root.opened, *(one.opened for one in plan.mounts)) if fd != -1]
    birth.close_others(keep)
    if plan.namespaces.clone & _NEWUSER:
        conversation.expect(gate.sock, "mapped")
    if plan.root.opened != -1:
        plan.root.place = rootfs.open_place(plan.root.path)  # as who we still are: mapped root may not get there
    if plan.namespaces.has("user"):
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        prctl.set_dumpable(dumpable=False)  # where fs.suid_dumpable is set, the change of user has undone this
    os.setsid()
    plan.process.open()
    try:
        if plan.invocation.new_keyring:
            keyring.join_new_session()
    except OSError as error:
        raise during_init(error, "error making a session keyring") from error
    _prepare_network(plan)


def _prepare_network(plan: InitPlan) -> None:
    try:
        if plan.namespaces.clone & _NEWNET:
            link.set_loopback_up()
    except OSError as error:
        raise during_init(error, "error preparing namespaces") from error


def _name_it(plan: InitPlan) -> None:
    """Make the cgroup namespace, now that the process is in its group, and give the machine its names."""
    if path := plan.namespaces.own_join.get("cgroup"):
        namespaces.join("cgroup", path)
    try:
        if plan.namespaces.cgroup:
            namespace.unshare(_NEWCGROUP)
    except OSError as error:
        raise during_init(error, "error preparing namespaces") from error
    try:
        if plan.hostname:
            uts.set_hostname(plan.hostname)
        if plan.domainname:
            uts.set_domainname(plan.domainname)
    except OSError as error:
        raise during_init(error, "sethostname") from error


def _stop_for(hooks: HookPlan, gate: Gate) -> None:
    if hooks.at("prestart", "createRuntime"):
        conversation.send(gate.sock, "mounted")
        conversation.expect(gate.sock, "hooked")
    hooks.run("createContainer", os.getpid())


def _start_hooks(plan: InitPlan) -> Callable[[], None] | None:
    hooks = plan.hooks
    if hooks is None or not hooks.at("startContainer"):
        return None
    return lambda: hooks.run("startContainer", os.getpid())


def _make_world(
    plan: InitPlan, gate: Gate, steps: Steps, ready: Mapping[str, int], sysctls_folder: int
) -> tuple[int, int]:
    """Mount the root and all in it and enter it; return its descriptor and the terminal's master (-1: none)."""
    root = rootfs.make(plan.root)
    steps.done("root")
    mounts.make(root, plan.mounts, ready)
    steps.done("mounts")
    devices.make(root, plan.nodes, bind=plan.namespaces.has("user"))
    steps.done("devices")
    master = console.open_terminal(root, plan.process.size, console_file=True) if plan.terminal else -1
    try:
        os.close(ensure_folder(root, plan.process.cwd))
    except NotADirectoryError as error:
        raise invalid(f"Cannot mkdir: {plan.process.cwd} is not a directory") from error
    sysctls.write(plan.sysctls, sysctls_folder)
    rootfs.make_paths_read_only(root, plan.read_only_paths)
    rootfs.mask(root, plan.masked)
    if plan.read_only:
        rootfs.make_read_only(root)
    steps.done("masks")
    if plan.hooks is not None:
        _stop_for(plan.hooks, gate)
    _enter(plan, root)
    steps.done("pivot")
    return root, master


def _enter(plan: InitPlan, root: int) -> None:
    if not plan.root.detached:
        plan.enter(root, plan.root.propagation)
        return
    if path := plan.namespaces.own_join.get("mount"):
        namespaces.join("mount", path)
    rootfs.enter_detached(root, plan.root.propagation)
