"""Commands and what they see."""

from __future__ import annotations

import posixpath
from typing import Final

from wharf.build.graph.operations import Exec, Mount, MountType, SecretVariable
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.spec.buildkit import ops_pb2 as pb

NETWORKS: Final = {pb.UNSET: "default", pb.HOST: "host", pb.NONE: "none"}
SECURITY: Final = {pb.SANDBOX: "sandbox", pb.INSECURE: "insecure"}
TYPES: Final[dict[pb.MountType, MountType]] = {
    pb.BIND: "bind", pb.SECRET: "secret", pb.SSH: "ssh", pb.CACHE: "cache", pb.TMPFS: "tmpfs",
}  # fmt: skip
SHARING: Final = {pb.SHARED: "shared", pb.PRIVATE: "private", pb.LOCKED: "locked"}


def exec_of(op: pb.ExecOp, inputs: int) -> Exec:
    """Return a command with its root as the first mount.

    Raises:
        InvalidArgument: it is malformed.
        NotImplementedHere: it asks for what is not supported; with its name.
    """
    meta = op.meta
    if not meta.args:
        raise InvalidArgument("a command without arguments")
    mounts = [_mount(one, inputs) for one in op.mounts]
    roots = [one for one in mounts if one.target == "/"]
    if len(roots) != 1 or roots[0].type != "bind":
        raise InvalidArgument("a command must have one mount at /, its root")
    return Exec(
        args=tuple(meta.args),
        env=tuple(meta.env),
        cwd=meta.cwd or "/",
        user=meta.user,
        mounts=(roots[0], *(one for one in mounts if one.target != "/")),
        network=NETWORKS.get(op.network, "default"),
        security=SECURITY.get(op.security, "sandbox"),
        hostname=meta.hostname,
        extra_hosts=tuple(f"{host.Host}:{host.IP}" for host in meta.extraHosts),
        ulimits=tuple((limit.Name, limit.Soft, limit.Hard) for limit in meta.ulimit),
        cgroup_parent=meta.cgroupParent,
        secret_env=tuple(SecretVariable(one.name, one.ID, one.optional) for one in op.secretenv),
        devices=tuple((device.name, not device.optional) for device in op.cdiDevices),
        exit_codes=tuple(sorted(set(meta.validExitCodes))),
    )


def environment_of(op: pb.ExecOp) -> tuple[str, ...]:
    """Return variables that a command is given without counting for its key: proxies."""
    proxy = op.meta.proxy_env
    names = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
    found = {name: getattr(proxy, name) for name in names}
    return tuple(f"{spelt}={value}" for name, value in found.items() if value for spelt in (name.upper(), name))


def _mount(mount: pb.Mount, inputs: int) -> Mount:
    if not -1 <= mount.input < inputs:
        raise InvalidArgument(f"a mount of an input that is not there: {mount.input}")
    target = posixpath.normpath("/" + mount.dest.lstrip("/"))
    kind = TYPES.get(mount.mountType)
    if kind is None:
        raise NotImplementedHere(f"mounts of the type {mount.mountType} are not supported by this build of wharf")
    lent = mount.secretOpt if kind == "secret" else mount.SSHOpt
    is_lent = kind in ("secret", "ssh")
    return Mount(
        target=target,
        input=mount.input if kind in ("bind", "cache") else -1,
        selector=_selector(mount.selector),
        output=mount.output if kind == "bind" and not mount.readonly else -1,
        read_only=mount.readonly,
        type=kind,
        id=mount.cacheOpt.ID if kind == "cache" else lent.ID if is_lent else "",
        sharing=SHARING.get(mount.cacheOpt.sharing, "shared"),
        size_bytes=mount.TmpfsOpt.size,
        uid=lent.uid if is_lent else 0,
        gid=lent.gid if is_lent else 0,
        mode=lent.mode if is_lent else 0,
        optional=lent.optional if is_lent else False,
    )


def _selector(path: str) -> str:
    clean = posixpath.normpath("/" + path.lstrip("/"))
    return "" if clean == "/" else clean
