"""A plain user's engine, as the user has it: by the wharf command, and by Docker's on the same socket."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.root.rootless.conftest import plain_user, uplink
from tests.root.rootless.plain_user import PlainUser
from tests.root.wharfd import until

from wharf.kernel.cgroup.hierarchy import read_hierarchies

__all__ = ["plain_user", "uplink"]

Make = Callable[..., PlainUser]


def _stocked(user: PlainUser) -> PlainUser:
    user.wharf("image", "bootstrap", "busybox")
    return user


@pytest.fixture
def user(plain_user: Make) -> PlainUser:
    return _stocked(plain_user())


def _docker(user: PlainUser, *words: str, code: int = 0) -> str:
    return user.run("docker", "-H", f"unix://{user.run_root}/wharf.sock", *words, code=code)


def _page(address: str, port: int) -> str:
    connection = http.client.HTTPConnection(address, port, timeout=60)
    connection.request("GET", "/index.html")
    return connection.getresponse().read().decode()


def _serve(user: PlainUser, name: str, port: str) -> None:
    script = "echo hello > /index.html; exec httpd -f -v -p 80 -h /"
    user.wharf("run", "-d", "--name", name, "-p", port, "busybox", "sh", "-c", script)
    until(lambda: "80" in user.wharf("exec", name, "netstat", "-ltn"))


def test_a_users_containers_are_root_inside_and_the_user_outside(user: PlainUser) -> None:
    out = user.wharf("run", "--rm", "--network", "none", "busybox", "sh", "-c", "id -u; touch /x; stat -c %u /x")

    assert out == "0\n0\n"


def test_other_users_exist_where_there_are_subordinate_ids(user: PlainUser) -> None:
    command = ("run", "--rm", "--network", "none", "--user", "5:6", "busybox", "id")

    assert user.wharf(*command) == "uid=5 gid=6 groups=6\n"


def test_without_subordinate_ids_root_alone_exists(plain_user: Make) -> None:
    user = _stocked(plain_user(subordinate=False))

    assert user.wharf("run", "--rm", "--network", "none", "busybox", "id", "-u") == "0\n"
    refused = user.wharf("run", "--rm", "--network", "none", "--user", "5", "busybox", "id", code=125)
    assert "user 5:0 does not exist in this user namespace" in refused


def test_layers_are_built_committed_and_compared(user: PlainUser) -> None:
    (user.home / "h/Dockerfile").write_text(
        "FROM busybox\n"
        "RUN mkdir -p /d/e && echo 1 > /d/e/f && chown -R 5:6 /d\n"
        "RUN rm -rf /d && mkdir /d && echo 2 > /d/g && rm /etc/group\n"
    )
    user.wharf("build", "-t", "built", str(user.home / "h"))
    script = "find /d; ls /etc/group; rm -rf /d; mkdir /d; touch /d/h"
    user.wharf("run", "--name", "changed", "--network", "none", "built", "sh", "-c", script)

    assert user.wharf("logs", "changed") == "/d\n/d/g\nls: /etc/group: No such file or directory\n"
    assert "C /d\nA /d/h\n" in user.wharf("diff", "changed")
    user.wharf("commit", "changed", "committed")
    assert user.wharf("run", "--rm", "--network", "none", "committed", "ls", "/d") == "h\n"


def test_docker_runs_more_processes_in_a_container_and_lists_them(user: PlainUser) -> None:
    _docker(user, "run", "-d", "--name", "up", "--network", "none", "busybox", "sleep", "1000")

    assert _docker(user, "exec", "up", "echo", "one") == "one\n"
    assert _docker(user, "exec", "up", "echo", "two") == "two\n"
    assert "sleep 1000" in _docker(user, "top", "up")
    joined = ("run", "--rm", "--network", "container:up", "--pid", "container:up", "busybox", "ps")
    assert "sleep 1000" in _docker(user, *joined)
    _docker(user, "rm", "-f", "up")


def test_devices_are_the_hosts_own_under_any_name(user: PlainUser) -> None:
    options = ("--rm", "--network", "none", "--device", "/dev/fuse:/dev/other")
    shown = user.wharf("run", *options, "busybox", "stat", "-c", "%t:%T", "/dev/other")

    assert shown == "a:e5\n"


def test_info_names_what_a_plain_user_lacks(user: PlainUser) -> None:
    info = json.loads(_docker(user, "info", "--format", "{{json .}}"))

    assert "name=rootless" in info["SecurityOptions"]
    assert (info["CgroupDriver"], info["MemoryLimit"], info["PidsLimit"]) == ("none", False, False)
    assert "WARNING: rootless: no limits: no control group is delegated to this user" in info["Warnings"]
    assert info["DockerRootDir"] == str(user.data_root)


def test_limits_that_nothing_can_set_are_warned_of(user: PlainUser) -> None:
    out = _docker(user, "run", "--rm", "--network", "none", "-m", "64m", "busybox", "echo", "ran")

    assert "does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded" in out
    assert "ran\n" in out


def test_pausing_is_refused_without_a_freezer(user: PlainUser) -> None:
    _docker(user, "run", "-d", "--name", "up", "--network", "none", "busybox", "sleep", "1000")

    refused = _docker(user, "pause", "up", code=1)

    assert "cannot pause containers: no control group freezer is there, or delegated to its user" in refused
    _docker(user, "rm", "-f", "up")


def test_pasta_keeps_the_clients_address(user: PlainUser, uplink: str) -> None:
    _serve(user, "web", "18080:80")

    assert _page("127.0.0.1", 18080) == "hello\n"
    assert _page(uplink, 18080) == "hello\n"
    clients = [line.split("]")[0].removeprefix("[::ffff:") for line in user.wharf("logs", "web").splitlines()]
    assert clients[0] == "172.17.0.1"
    assert clients[1].startswith("203.0.113.")
    user.wharf("rm", "-f", "web")


def test_slirp4netns_publishes_on_the_address_that_is_asked_for(plain_user: Make, uplink: str) -> None:
    user = _stocked(plain_user(environment={"WHARF_ROOTLESS_NETWORK": "slirp4netns"}))

    _serve(user, "web", "127.0.0.1:18081:80")

    assert _page("127.0.0.1", 18081) == "hello\n"
    with pytest.raises(ConnectionRefusedError):
        _page(uplink, 18081)
    user.wharf("rm", "-f", "web")
    with pytest.raises(ConnectionRefusedError):
        _page("127.0.0.1", 18081)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("carrier", ["pasta", "slirp4netns"])
def test_ports_that_cannot_be_had_are_refused(plain_user: Make, taken: int, carrier: str) -> None:
    user = _stocked(plain_user(environment={"WHARF_ROOTLESS_NETWORK": carrier}))

    in_use = user.wharf("run", "--rm", "-p", f"{taken}:80", "busybox", "true", code=125)
    privileged = user.wharf("run", "--rm", "-p", "80:80", "busybox", "true", code=125)

    assert f"failed to bind host port 0.0.0.0:{taken}/tcp: address already in use" in in_use
    assert "cannot publish port 80: plain users have ports from 1024 on" in privileged


def test_without_a_carrier_there_are_none_and_host(plain_user: Make) -> None:
    user = _stocked(plain_user(environment={"WHARF_ROOTLESS_NETWORK": "none"}))

    refused = user.wharf("run", "--rm", "busybox", "true", code=125)

    assert "has no networks (WHARF_ROOTLESS_NETWORK is none): use --network none or --network host" in refused
    assert "wharf-up0" in user.wharf("run", "--rm", "--network", "host", "busybox", "cat", "/proc/net/dev")
    assert user.wharf("run", "--rm", "--network", "none", "busybox", "ls", "/sys/class/net") == "lo\n"


_LISTEN = "import socket, sys; s = socket.create_server(('0.0.0.0', 18084)); print('listens', flush=True); input()"


def test_containers_and_their_ports_survive_a_killed_engine(user: PlainUser, uplink: str) -> None:
    _serve(user, "web", "18082:80")
    user.wharf("network", "create", "--internal", "inner")
    user.wharf("run", "-d", "--name", "late", "--network", "inner", "-p", "18083:80", "busybox", "sleep", "1000")
    user.wharf("network", "connect", "bridge", "late")
    pid = user.wharf("inspect", "-f", "{{.State.Pid}}", "web")
    os.kill(user.engine_pid(), signal.SIGKILL)

    listen = user.command(sys.executable, "-m", "wharf.rootless", sys.executable, "-c", _LISTEN)
    with subprocess.Popen(listen, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as later:
        assert later.stdout is not None
        assert later.stdout.readline() == "listens\n"
        until(lambda: _listens(18084))  # so pasta has looked again since
        assert _page(uplink, 18082) == "hello\n"
        assert _listens(18083)
        later.communicate("\n")

    assert "18082->80" in user.wharf("ps")  # by another engine
    assert user.wharf("exec", "web", "echo", "again").endswith("again\n")
    assert _page("127.0.0.1", 18082) == "hello\n"
    os.kill(user.engine_pid(), signal.SIGKILL)
    os.kill(int(pid), signal.SIGKILL)
    until(lambda: not _listens(18082))
    assert _listens(18083)
    assert user.wharf("start", "web").startswith("web\n")
    user.wharf("rm", "-f", "web", "late")
    user.wharf("network", "rm", "inner")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except ConnectionRefusedError:
        return False
    return True


def test_an_engine_that_ends_without_containers_leaves_nothing(user: PlainUser) -> None:
    user.wharf("run", "--rm", "busybox", "true")

    os.kill(user.engine_pid(), signal.SIGTERM)

    until(lambda: user.processes() == [])


def test_a_program_with_an_engine_of_its_own_runs_as_a_plain_user(plain_user: Make) -> None:
    user = plain_user(environment={"WHARF_ROOTLESS_NETWORK": "none"})
    program = (
        "import asyncio, wharf\n"
        "async def main():\n"
        "    async with wharf.Engine() as engine:\n"
        "        async for _ in engine.images.bootstrap('busybox', include=[], reference=None): pass\n"
        "        print((await engine.run('busybox', ['id', '-u'])).stdout.decode(), end='')\n"
        "asyncio.run(main())\n"
    )

    assert user.inside("python3", "-c", program) == "0\n"
    refused = user.run("python3", "-c", program, code=1)
    assert "run the program with 'wharf unshare PROGRAM', or with sudo" in refused


def test_the_resolver_and_names_work_for_a_plain_user(user: PlainUser) -> None:
    user.wharf("network", "create", "inner")
    user.wharf("run", "-d", "--name", "named", "--network", "inner", "busybox", "sleep", "1000")

    assert "1 packets received" in user.wharf("run", "--rm", "--network", "inner", "busybox", "ping", "-c1", "named")
    user.wharf("rm", "-f", "named")
    user.wharf("network", "rm", "inner")


def test_ipc_of_processes_is_not_the_hosts(user: PlainUser) -> None:
    host = subprocess.run(["readlink", "/proc/self/ns/ipc"], capture_output=True, text=True, check=True).stdout

    shared = user.wharf(
        "run", "--rm", "--network", "none", "--ipc", "host", "busybox", "readlink", "/proc/self/ns/ipc"
    )

    assert shared != host


@pytest.mark.parametrize(("devices", "driver"), [(True, "fuse-overlayfs"), (False, "vfs")])
def test_where_overlay_cannot_be_mounted_the_next_best_is_used(plain_user: Make, devices: bool, driver: str) -> None:
    user = plain_user(devices=devices)
    home = user.home / "h"
    for name in ("low", "up", "work"):
        (user.home / name).mkdir()
    os.chown(user.home / "up", user.uid, user.uid)
    data = f"lowerdir={user.home}/low,upperdir={user.home}/up,workdir={user.home}/work"
    subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", data, home], check=True
    )  # no place for another's upper
    try:
        _stocked(user)
        script = "rm -rf /home; mkdir /home; echo new > /home/f; cat /home/f"

        assert user.wharf("run", "--name", "changed", "--network", "none", "busybox", "sh", "-c", script) == "new\n"
        assert _docker(user, "info", "--format", "{{.Driver}}") == f"{driver}\n"
        assert "A /home/f" in user.wharf("diff", "changed")
        user.wharf("rm", "changed")
        os.kill(user.engine_pid(), signal.SIGTERM)
        until(lambda: not user.processes())
    finally:
        subprocess.run(["umount", "-l", home], check=True)


@pytest.fixture
def delegated() -> Iterator[list[Path]]:
    """Groups for a user to be given, one in each hierarchy of v1 that has a controller for limits."""
    hierarchies = {name: Path(point) for name, point in read_hierarchies().v1.items() if "=" not in name}
    if not {"memory", "pids", "freezer"} <= hierarchies.keys():
        pytest.skip("this machine has not these controllers on v1")
    groups = [hierarchies[name] / f"wharf-test-{os.getpid()}" for name in ("memory", "pids", "freezer", "cpu")]
    for group in groups:
        group.mkdir()
    yield groups
    for group in groups:
        for folder in sorted(group.rglob("*/"), reverse=True):
            folder.rmdir()
        group.rmdir()


def test_delegated_control_groups_limit_and_pause(plain_user: Make, delegated: list[Path]) -> None:
    user = plain_user(cgroups=delegated, environment={"WHARF_ROOTLESS_NETWORK": "none"})
    for group in delegated:
        for file in (group, group / "cgroup.procs", group / "tasks"):
            os.chown(file, user.uid, user.uid)
    _stocked(user)

    limits = ("-m", "32m", "--memory-swap", "32m", "--pids-limit", "9", "--cpus", "0.5")
    out = _docker(user, "run", "-d", "--name", "up", "--network", "none", *limits, "busybox", "sleep", "1000")

    assert "WARNING" not in out
    (group,) = delegated[0].glob("wharf/*/*/")
    assert (group / "memory.limit_in_bytes").read_text() == f"{32 << 20}\n"
    assert [path.read_text() for path in delegated[1].glob("wharf/*/*/pids.max")] == ["9\n"]
    assert "up" in _docker(user, "pause", "up")
    assert "Paused" in user.wharf("ps")
    _docker(user, "unpause", "up")
    assert "sleep 1000" in _docker(user, "top", "up")
    assert json.loads(_docker(user, "info", "--format", "{{json .}}"))["CgroupDriver"] == "cgroupfs"
    _docker(user, "rm", "-f", "up")
    script = "head -c 100m /dev/zero | tail"
    _docker(user, "run", "--name", "greedy", "--network", "none", *limits, "busybox", "sh", "-c", script, code=137)
    assert _docker(user, "inspect", "-f", "{{.State.OOMKilled}}", "greedy") == "true\n"
    os.kill(user.engine_pid(), signal.SIGTERM)
    until(lambda: not user.processes())


def test_an_image_of_many_owners_and_devices_is_of_use_to_whoever_has_one_id(plain_user: Make) -> None:
    user = _stocked(plain_user(subordinate=False, environment={"WHARF_ROOTLESS_NETWORK": "none"}))
    archive = user.home / "h/root.tar"
    with tarfile.open(archive, "w") as tar:
        for name, kind, owner in (
            ("f", tarfile.REGTYPE, 42),
            ("null", tarfile.CHRTYPE, 0),
            ("gone/.wh.x", tarfile.REGTYPE, 0),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.uid, entry.devmajor, entry.devminor = kind, owner, 1, 3
            tar.addfile(entry)
        tar.add("/bin/busybox", "bin/busybox")
    user.wharf("import", str(archive), "many")

    listed = user.wharf("run", "--rm", "--network", "none", "many", "/bin/busybox", "stat", "-c", "%u", "/f")

    assert listed == "0\n"
