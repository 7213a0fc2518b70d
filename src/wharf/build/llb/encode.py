"""Commands as BuildKit's clients read them, the reverse of :mod:`wharf.build.llb.execs` (BuildKit, solver). Pure."""

from __future__ import annotations

from typing import Final

from wharf.build.graph.operations import Exec, Mount
from wharf.build.llb import execs
from wharf.spec.buildkit import ops_pb2 as pb

_NETWORKS: Final = {name: value for value, name in execs.NETWORKS.items()}
_SECURITY: Final = {name: value for value, name in execs.SECURITY.items()}
_TYPES: Final = {name: value for value, name in execs.TYPES.items()}
_SHARING: Final = {name: value for value, name in execs.SHARING.items()}


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
        security=_SECURITY[command.security],
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
        mountType=_TYPES[mount.type],
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
