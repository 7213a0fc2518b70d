"""A container's first process, from clone3 to execve: the order is that of runtime.md "Lifecycle"."""

from __future__ import annotations

import os

from wharf.kernel import keyring, link, namespace, uts
from wharf.kernel.namespace import FLAG_OF
from wharf.kernel.openat2 import ensure_folder
from wharf.runtime import birth, console, conversation, devices, mounts, namespaces, rootfs, sysctls
from wharf.runtime.errors import StartFailed, during_init, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, NoReturn

    from wharf.runtime.birth import CgroupEntry, Gate, ProcessPlan
    from wharf.runtime.steps import Steps
    from wharf.spec.oci_runtime import Spec
    from wharf.spec.shim_messages import RootfsMount

_NEWCGROUP: Final = FLAG_OF["cgroup"]
_NEWUSER: Final = FLAG_OF["user"]
_NEWNET: Final = FLAG_OF["network"]


class InitPlan:
    """Everything init will do, decided by the parent; its repr prints it."""

    __slots__ = (
        "domainname",
        "hostname",
        "masked",
        "mounts",
        "namespaces",
        "nodes",
        "process",
        "read_only",
        "read_only_paths",
        "root",
        "sysctls",
        "terminal",
    )

    def __init__(self, spec: Spec, bundle: str, rootfs_mounts: list[RootfsMount], process: ProcessPlan) -> None:
        linux = spec.get("linux") or {}
        root = spec.get("root") or {}
        self.process = process
        self.terminal = bool((spec.get("process") or {}).get("terminal"))
        self.namespaces = namespaces.plan(linux)
        self.root = rootfs.plan(
            os.path.join(bundle, root.get("path", "")), rootfs_mounts, linux.get("rootfsPropagation") or ""
        )
        self.mounts = mounts.plan(spec.get("mounts") or (), bundle=bundle)
        self.nodes = devices.plan(linux.get("devices") or (), self.mounts)
        self.read_only = bool(root.get("readonly"))
        self.masked = list(linux.get("maskedPaths") or ())
        self.read_only_paths = list(linux.get("readonlyPaths") or ())
        self.sysctls = sysctls.plan(linux.get("sysctl") or {}, self.namespaces)
        self.hostname = spec.get("hostname") or ""
        self.domainname = spec.get("domainname") or ""
        if (self.hostname or self.domainname) and not self.namespaces.has("uts"):
            raise invalid("unable to set hostname without a private UTS namespace")

    def __repr__(self) -> str:
        lines = [repr(self.namespaces), repr(self.root), *map(repr, self.mounts), *map(repr, self.nodes)]
        lines += [f"mask {path}" for path in self.masked] + [f"read-only {path}" for path in self.read_only_paths]
        lines += [f"sysctl {name}={value}" for name, value in self.sysctls]
        return "\n".join([*lines, repr(self.process)])


def run(
    plan: InitPlan,
    gate: Gate,
    stdio: tuple[int, int, int] | None,
    entry: CgroupEntry | None,
    steps: Steps,
) -> NoReturn:
    """Be the container's init, in the child of clone3."""
    die_with_parent = gate.listener is None

    def body() -> None:
        steps.us.clear()
        steps.done("clone")
        birth.be_born(plan.process, entry, die_with_parent=die_with_parent)
        steps.done("cgroup")
        _settle(plan, gate, stdio)
        root, master = _make_world(plan, steps)
        birth.finish(plan.process, root, gate, master, steps, die_with_parent=die_with_parent)

    birth.run(lambda: gate.sock, body)


def _settle(plan: InitPlan, gate: Gate, stdio: tuple[int, int, int] | None) -> None:
    """Own nothing but what is needed, have a session, and be root in the new user namespace."""
    if stdio is not None:
        console.use_descriptors(stdio)
    keep = [gate.sock.fileno()] + ([] if gate.listener is None else [gate.listener.fileno()])
    birth.close_others(keep)
    if plan.namespaces.clone & _NEWUSER:
        fields, _ = conversation.receive(gate.sock)
        if fields != ["mapped"]:
            raise StartFailed("other", "unable to start container process: the user namespace was not mapped")
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
    os.setsid()
    try:
        keyring.join_new_session()
        if plan.namespaces.cgroup:
            namespace.unshare(_NEWCGROUP)
        if plan.namespaces.clone & _NEWNET:
            link.set_loopback_up()
        if plan.hostname:
            uts.set_hostname(plan.hostname)
        if plan.domainname:
            uts.set_domainname(plan.domainname)
    except OSError as error:
        raise during_init(error, "error preparing namespaces") from error


def _make_world(plan: InitPlan, steps: Steps) -> tuple[int, int]:
    """Mount the root and all in it and enter it; return its descriptor and the terminal's master (-1: none)."""
    root = rootfs.make(plan.root)
    steps.done("root")
    mounts.make(root, plan.mounts)
    steps.done("mounts")
    devices.make(root, plan.nodes, bind=bool(plan.namespaces.clone & _NEWUSER))
    steps.done("devices")
    master = console.open_terminal(root, plan.process.size, console_file=True) if plan.terminal else -1
    os.close(ensure_folder(root, plan.process.cwd))
    sysctls.write(plan.sysctls)
    rootfs.make_paths_read_only(root, plan.read_only_paths)
    rootfs.mask(root, plan.masked)
    if plan.read_only:
        rootfs.make_read_only(root)
    steps.done("masks")
    rootfs.enter(root, plan.root.propagation)
    steps.done("pivot")
    return root, master
