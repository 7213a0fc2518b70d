"""What one engine has on the host, to compare before and after: nothing may be left behind."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from wharf.storage.layout import DataRoot, RunRoot


@dataclass(frozen=True)
class World:
    """The things of an engine that the kernel or the disk hold, by name."""

    mounts: frozenset[str]
    cgroups: frozenset[str]
    links: frozenset[str]
    sandboxes: frozenset[str]
    shims: frozenset[str]
    folders: frozenset[str]
    processes: frozenset[str]
    firewall: frozenset[str]


def observe(data: DataRoot, run: RunRoot) -> World:
    """Look at everything that bears this engine's key or lies below its roots."""
    return World(
        mounts=frozenset(_mounts(data, run)),
        cgroups=frozenset(_cgroups(data.key)),
        links=frozenset(_links(data.key)),
        sandboxes=frozenset(_names(run.netns)),
        shims=frozenset(_names(run.shims)),
        folders=frozenset(_names(data.containers)),
        processes=frozenset(_processes(data, run)),
        firewall=frozenset(_published(data.key)),
    )


EMPTY = World(*[frozenset()] * 8)


def _names(folder: Path) -> list[str]:
    return os.listdir(folder) if folder.exists() else []


def _mounts(data: DataRoot, run: RunRoot) -> list[str]:
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [p for p in points if p.startswith((f"{data.path}/", f"{run.path}/"))]


def _cgroups(key: str) -> list[str]:
    found = []
    for hierarchy in Path("/sys/fs/cgroup").iterdir():
        parent = hierarchy / "wharf" / key
        found += [f"{hierarchy.name}"] if parent.exists() else []
        found += [f"{hierarchy.name}/{child.name}" for child in parent.glob("*/")]
    return found


def _links(key: str) -> list[str]:
    lines = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout.splitlines()
    # Those of sandboxes made ahead are no container's: they are named apart.
    return [
        f"spare {name}" if f"wharf:{key}:spare" in line else name
        for line in lines
        if f"wharf:{key}" in line and (name := line.split()[1])
    ]


def _processes(data: DataRoot, run: RunRoot) -> list[str]:
    """Processes in a cgroup of this engine, and its shims."""
    found, own = [], shims(run)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            groups = (folder / "cgroup").read_text()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if f"/wharf/{data.key}" in groups or int(folder.name) in own:
            found.append(f"{folder.name} {command}")
    return found


def shims(run: RunRoot) -> list[int]:
    """Return the shims of this engine, told by the lock that they hold."""
    return [pid for pid in zygotes() if any(_link(str(fd)).startswith(f"{run.shims}/") for fd in _open_in(pid))]


def _open_in(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/fd").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []  # it has gone meanwhile


def zygotes() -> list[int]:
    """Return what was forked from a zygote in this test run's mount namespace: shims, too."""
    folders = Path("/proc").glob("[0-9]*")
    return [int(folder.name) for folder in folders if _is_zygote(folder)]


def _is_zygote(folder: Path) -> bool:
    try:
        command = (folder / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return b"wharf.shim.zygote" in command and _link(f"{folder}/ns/mnt") == _link("/proc/self/ns/mnt")


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return ""  # the process has gone meanwhile


def _published(key: str) -> list[str]:
    command = ["nft", "list", "table", "inet", f"wharf_{key}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [line.strip() for line in done.stdout.splitlines() if re.search(r"\b(tcp|udp|sctp) \. \d", line)]
