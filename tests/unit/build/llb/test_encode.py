from __future__ import annotations

from wharf.build.graph.operations import Exec, Mount, SecretVariable
from wharf.build.llb.encode import encoded
from wharf.build.llb.execs import exec_of


def test_a_command_comes_back_as_it_was() -> None:
    command = Exec(
        args=("sh", "-c", "x"),
        env=("K=v",),
        cwd="/w",
        user="1:2",
        mounts=(
            Mount("/", 0, output=0),
            Mount("/in", 1, "/x/y", read_only=True),
            Mount("/t", type="tmpfs", size_bytes=5),
            Mount("/c", 1, type="cache", id="k", sharing="private"),
            Mount("/s", type="secret", id="s", uid=3, gid=4, mode=0o400, optional=True),
            Mount("/a", type="ssh", id="default", mode=0o600),
            Mount("/out", 1, output=1),
        ),
        network="host",
        security="insecure",
        hostname="h",
        extra_hosts=("x:::1",),
        ulimits=(("nofile", 1, 2),),
        cgroup_parent="/p",
        secret_env=(SecretVariable("N", "i", optional=True),),
        exit_codes=(1, 3),
    )

    assert exec_of(encoded(command), 2) == command
    assert exec_of(encoded(Exec(("x",))), 1) == Exec(("x",))
