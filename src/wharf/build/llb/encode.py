"""Commands as BuildKit's clients read them, the reverse of :mod:`wharf.build.llb.execs` (BuildKit, solver). Pure."""

from __future__ import annotations

from typing import Final

from wharf.build.graph.operations import Exec, Mount
from wharf.spec.buildkit import ops_pb2 as pb

_NETWORKS: Final = {"host": pb.HOST, "none": pb.NONE}
_TYPES: Final = {"secret": pb.SECRET, "ssh": pb.SSH, "cache": pb.CACHE, "tmpfs": pb.TMPFS}
_SHARING: Final = {"private": pb.PRIVATE, "locked": pb.LOCKED}


def encoded(command: Exec) -> pb.ExecOp:
    """Return a command, all but what has no place there: the size of its shared memory, and its devices."""
    meta = pb.Meta(
        args=command.args,
        env=command.env,
        cwd=command.cwd,
        user=command.user,
        hostname=command.hostname,
        cgroupParent=command.cgroup_parent,
        validExitCodes=command.exit_codes,
    )
    for entry in command.extra_hosts:
        name, _, address = entry.partition(":")
        meta.extraHosts.add(Host=name, IP=address)
    for name, soft, hard in command.ulimits:
        meta.ulimit.add(Name=name, Soft=soft, Hard=hard)
    op = pb.ExecOp(
        meta=meta,
        mounts=[_mount(one) for one in command.mounts],
        network=_NETWORKS.get(command.network, pb.UNSET),
        security=pb.INSECURE if command.security == "insecure" else pb.SANDBOX,
    )
    for variable in command.secret_env:
        op.secretenv.add(ID=variable.id, name=variable.name, optional=variable.optional)
    return op


def _mount(mount: Mount) -> pb.Mount:
    found = pb.Mount(
        dest=mount.target,
        input=mount.input,
        selector=mount.selector,
        output=mount.output,
        readonly=mount.read_only,
        mountType=_TYPES.get(mount.type, pb.BIND),
    )
    if mount.type == "cache":
        found.cacheOpt.ID, found.cacheOpt.sharing = mount.id, _SHARING.get(mount.sharing, pb.SHARED)
    elif mount.type == "tmpfs":
        found.TmpfsOpt.size = mount.size_bytes
    elif mount.type in ("secret", "ssh"):
        lent = found.secretOpt if mount.type == "secret" else found.SSHOpt
        lent.ID, lent.uid, lent.gid = mount.id, mount.uid, mount.gid
        lent.mode, lent.optional = mount.mode, mount.optional
    return found
