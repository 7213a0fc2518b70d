"""The sides: engines on sockets and roots of their own, each in a network and a mount namespace of its own.

So each may have its docker0, none touches the machine's, and what a side leaves mounted goes when it ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.raw_http import Connection, UnexpectedAnswer
from wharf.storage.layout import root_key, run_root_of

# Podman keeps addresses and namespaces at fixed places, whatever its root: those of this machine's own are covered.
_COVERED = "/run/containers /run/netns /var/lib/containers"
_SCRIPT = f"""
ip link set lo up && mkdir -p {_COVERED} || exit
for folder in {_COVERED}; do mount -t tmpfs bench "$folder" || exit; done
exec "$@"
"""
_PRIVATE = ("unshare", "--net", "--mount", "sh", "-c", _SCRIPT, "sh")
_CHANGES = "CMD%20%5B%22sh%22%5D"  # CMD ["sh"], as the usual base images have
_START_S, _STOP_S = 60.0, 30.0
# Podman would raise limits beyond what a machine without CAP_SYS_RESOURCE may; its own init is no package it needs.
_CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
init_path = "/usr/bin/tini-static"
"""


class SideFailed(Exception):
    """A side did not start or does not stop."""


@dataclass(frozen=True, slots=True)
class Engine:
    """How to start one engine, and how its own client runs a container."""

    name: str
    command: tuple[str, ...]
    own_client: tuple[str, ...] | None = None  # None: the docker command is its own
    client_is_engine: bool = False  # its client works on the root itself: it must run in the same namespaces


@dataclass(frozen=True, slots=True)
class Side:
    """An engine that runs."""

    name: str
    socket: str
    pid: int
    clients: tuple[tuple[str, ...], tuple[str, ...]]  # the docker command, and its own
    environment: dict[str, str]


def wharf(binaries: Path, root: Path) -> Engine:
    """Return Wharf's side, with the commands in ``binaries``."""
    host = f"unix://{root}/api.sock"
    return Engine(
        "wharf",
        (str(binaries / "wharfd"), "--data-root", f"{root}/data", "--host", host),
        own_client=(str(binaries / "wharf"),),
    )


def dockerd(root: Path, programs: Path | None = None) -> Engine:
    """Return Docker's side: dockerd starts a containerd of its own.

    ``programs`` is a folder of the programs of another release; what is not there is this machine's own.
    """
    named = ("env", f"PATH={programs}:{os.environ['PATH']}:/usr/sbin:/sbin", "dockerd")
    return Engine(
        "docker",
        (
            *(named if programs else (_program("dockerd"),)),
            "--data-root", f"{root}/data", "--exec-root", f"{root}/run",
            "--pidfile", f"{root}/pid", "--config-file", f"{root}/empty.json", "--host", f"unix://{root}/api.sock",
            "--exec-opt", "native.cgroupdriver=cgroupfs",
        ),
    )  # fmt: skip


def podman(root: Path) -> Engine:
    """Return podman's side; with runc, as crun refuses a machine that has both versions of cgroups."""
    options = (
        _program("podman"), "--root", f"{root}/data", "--runroot", f"{root}/run", "--tmpdir", f"{root}/tmp",
        "--cgroup-manager", "cgroupfs", "--runtime", _program("runc"), "--events-backend", "file",
        "--storage-driver", "overlay", "--network-backend", "netavark", "--network-config-dir", f"{root}/networks",
    )  # fmt: skip
    return Engine(
        "podman",
        (*options, "system", "service", "--time", "0", f"unix://{root}/api.sock"),
        own_client=options,
        client_is_engine=True,
    )


@contextmanager
def running(engine: Engine, root: Path, docker: str, images: Mapping[str, bytes]) -> Iterator[Side]:
    """Start an engine, give it images (archives of root file systems, by name), and stop it in the end.

    Its root is removed.

    Raises:
        SideFailed: it does not answer in time; the message has the end of its log.
    """
    shutil.rmtree(root, ignore_errors=True)
    (root / "docker-config").mkdir(parents=True)
    _write_settings(root)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "WHARF_"))},
        "DOCKER_HOST": f"unix://{root}/api.sock",
        "DOCKER_CONFIG": f"{root}/docker-config",
        "CONTAINERS_CONF": f"{root}/containers.conf",
    }
    with (root / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [*_PRIVATE, *engine.command],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True,
        )  # fmt: skip
    try:
        socket = str(root / "api.sock")
        _wait_until_it_answers(engine.name, socket, daemon, root / "log")
        for name, archive in images.items():
            repository, _, tag = name.partition(":")
            with Connection(socket) as connection:
                path = f"/images/create?fromSrc=-&repo={repository}&tag={tag or 'latest'}&changes={_CHANGES}"
                connection.request("POST", path, archive, "application/x-tar")
        own = engine.own_client or (docker,)
        if engine.client_is_engine:
            own = ("nsenter", "--target", str(daemon.pid), "--net", "--mount", *own)
        yield Side(engine.name, socket, daemon.pid, ((docker,), own), environment)
    finally:
        try:
            _stop(engine.name, daemon)
        finally:
            shutil.rmtree(root, ignore_errors=True)
            _forget(root / "data")


@contextmanager
def one_version_of_cgroups() -> Iterator[tuple[str, ...]]:
    """Yield what to put before a command so that it sees only one version of cgroups: crun refuses to see both.

    On a machine that has one version anyway, that is nothing.
    """
    unified = "/sys/fs/cgroup/unified"
    if not os.path.ismount(unified):
        yield ()
        return
    script = f"umount {unified} && echo ready && exec sleep infinity"
    command = ("unshare", "--mount", "sh", "-c", script)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout
            holder.stdout.readline()
            yield ("nsenter", "--target", str(holder.pid), "--mount")
        finally:
            holder.kill()


def _forget(data_root: Path) -> None:
    """Remove the empty folders that Wharf keeps for a data root that comes back; this one does not."""
    shutil.rmtree(run_root_of(data_root).path, ignore_errors=True)
    for pattern in (f"wharf/{root_key(data_root)}", f"*/wharf/{root_key(data_root)}"):
        for group in Path("/sys/fs/cgroup").glob(pattern):
            group.rmdir()


def _write_settings(root: Path) -> None:
    """Settings of the machine take no part."""
    (root / "empty.json").write_text("{}")
    (root / "docker-config/config.json").write_text("{}")
    (root / "containers.conf").write_text(_CONTAINERS_CONF)


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        raise SideFailed(f"{name} is not installed: `make bench-peers` installs it")
    return found


def _wait_until_it_answers(name: str, socket: str, daemon: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and daemon.poll() is None:
        try:
            with Connection(socket) as connection:
                connection.request("GET", "/_ping")
                return
        except (OSError, UnexpectedAnswer):
            time.sleep(0.1)
    raise SideFailed(f"{name} does not answer; the end of its log:\n{log.read_text(errors='replace')[-3000:]}")


def _stop(name: str, daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()
        raise SideFailed(f"{name} did not end within {_STOP_S:.0f} s of SIGTERM, and was killed") from None
