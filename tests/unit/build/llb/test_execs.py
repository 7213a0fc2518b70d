from __future__ import annotations

import pytest

from wharf.build.graph.operations import Exec, Mount, SecretVariable
from wharf.build.llb.execs import environment_of, exec_of
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.spec.buildkit import ops_pb2 as pb

ROOT = pb.Mount(input=0, dest="/", output=0)


def op(*mounts: pb.Mount, **meta: object) -> pb.ExecOp:
    return pb.ExecOp(meta=pb.Meta(**{"args": ["a"], **meta}), mounts=mounts or (ROOT,))  # type: ignore[arg-type]


def test_a_command_has_its_root_first_and_everything_it_sees() -> None:
    command = op(
        pb.Mount(input=1, dest="in", selector="x/y", readonly=True, output=-1),
        pb.Mount(input=-1, dest="/t", mountType=pb.TMPFS, TmpfsOpt=pb.TmpfsOpt(size=5), output=-1),
        pb.Mount(input=1, dest="/c", mountType=pb.CACHE, cacheOpt=pb.CacheOpt(ID="k", sharing=pb.LOCKED), output=-1),
        pb.Mount(input=-1, dest="/s", mountType=pb.SECRET, secretOpt=pb.SecretOpt(ID="s", mode=0o400, optional=True)),
        pb.Mount(input=-1, dest="/a", mountType=pb.SSH, SSHOpt=pb.SSHOpt(ID="default", uid=7)),
        pb.Mount(input=1, dest="/out", output=1),
        ROOT,
        env=["K=v"],
        user="1:2",
        hostname="h",
        extraHosts=[pb.HostIP(Host="x", IP="1.2.3.4")],
        ulimit=[pb.Ulimit(Name="nofile", Soft=1, Hard=2)],
        cgroupParent="/p",
    )
    command.network, command.security = pb.NONE, pb.INSECURE
    command.secretenv.append(pb.SecretEnv(ID="i", name="N", optional=True))

    assert exec_of(command, 2) == Exec(
        args=("a",),
        env=("K=v",),
        user="1:2",
        mounts=(
            Mount("/", 0, output=0),
            Mount("/in", 1, "/x/y", read_only=True),
            Mount("/t", type="tmpfs", size_bytes=5),
            Mount("/c", 1, type="cache", id="k", sharing="locked"),
            Mount("/s", type="secret", id="s", mode=0o400, optional=True),
            Mount("/a", type="ssh", id="default", uid=7),
            Mount("/out", 1, output=1),
        ),
        network="none",
        security="insecure",
        hostname="h",
        extra_hosts=("x:1.2.3.4",),
        ulimits=(("nofile", 1, 2),),
        cgroup_parent="/p",
        secret_env=(SecretVariable("N", "i", optional=True),),
    )


def test_proxies_are_given_in_both_cases() -> None:
    assert environment_of(op(proxy_env=pb.ProxyEnv(no_proxy="x"))) == ("NO_PROXY=x", "no_proxy=x")


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (op(args=[]), InvalidArgument),
        (op(pb.Mount(input=0, dest="/x")), InvalidArgument),
        (op(ROOT, ROOT), InvalidArgument),
        (op(pb.Mount(input=5, dest="/")), InvalidArgument),
        (op(pb.Mount(input=0, dest="/x", mountType=77), ROOT), NotImplementedHere),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_is_refused(command: pb.ExecOp, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        exec_of(command, 1)


def test_a_root_may_be_read_only_and_success_another_code() -> None:
    found = op(pb.Mount(input=0, dest="/", readonly=True))
    found.meta.validExitCodes.extend([7, 3, 7])
    made = exec_of(found, 1)
    assert (made.mounts[0].read_only, made.mounts[0].output, made.exit_codes) == (True, -1, (3, 7))
