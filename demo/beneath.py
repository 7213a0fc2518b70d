"""Say in words what lies beneath a running container: reads `inspect`'s JSON, then looks at the kernel itself."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

_NAMESPACES = ("mnt", "pid", "net", "uts", "ipc", "cgroup", "user")
# What one limit is called in the two versions of cgroups.
_MEMORY_FILES = ("memory.max", "memory.limit_in_bytes")
_CPU_FILES = ("cpu.max", "cpu.cfs_quota_us")


def namespaces(pid: int) -> tuple[list[str], list[str]]:
    """Return the kinds of namespace the process has for itself, and those it shares with us."""
    own, shared = [], []
    for kind in _NAMESPACES:
        same = os.readlink(f"/proc/{pid}/ns/{kind}") == os.readlink(f"/proc/self/ns/{kind}")
        (shared if same else own).append(kind)
    return own, shared


def cgroup_folder(pid: int, controller: str) -> Path | None:
    """Return the folder of the process's cgroup that limits ``controller``, in whichever version has it."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return Path("/sys/fs/cgroup", controllers) / path[1:]
        if not controllers:
            unified = Path("/sys/fs/cgroup") / path[1:]
            present = unified / "cgroup.controllers"
            if present.exists() and controller in present.read_text().split():
                return unified
    return None


def limit(folder: Path | None, names: tuple[str, ...]) -> str:
    """Return the content of the first of ``names`` that the folder has."""
    found = [folder / name for name in names if folder and (folder / name).exists()]
    return f"{found[0].name} is {found[0].read_text().strip()}" if found else "no limit"


def describe(container: dict[str, Any]) -> list[tuple[str, str]]:
    """Return pairs of a heading and what there is to say."""
    pid = container["State"]["Pid"]
    own, shared = namespaces(pid)
    memory = cgroup_folder(pid, "memory")
    networks = container["NetworkSettings"]["Networks"].items()
    ports = (container["NetworkSettings"].get("Ports") or {}).items()
    published = [f"{p['HostIp']}:{p['HostPort']} leads to {port}" for port, bindings in ports for p in bindings or []]
    return [
        ("process", f"{Path(f'/proc/{pid}/comm').read_text().strip()}, number {pid} on the host and 1 inside"),
        ("namespaces", f"its own: {' '.join(own)}; the host's: {' '.join(shared) or 'none'}"),
        *[("address", f"{at['IPAddress']}/{at['IPPrefixLen']} {_place(name, at)}") for name, at in networks],
        ("published", ", ".join(published) or "nothing"),
        ("cgroup", str(memory) if memory else "none"),
        ("memory", limit(memory, _MEMORY_FILES)),
        ("cpu", limit(cgroup_folder(pid, "cpu"), _CPU_FILES)),
    ]


def _place(network: str, endpoint: dict[str, Any]) -> str:
    link = "docker0" if network == "bridge" else f"the network {network}"
    return f"on {link}, " + (f"gateway {endpoint['Gateway']}" if endpoint["Gateway"] else "no way out of it")


def main() -> int:
    """Read the answer of `inspect` from standard input."""
    for heading, text in describe(json.load(sys.stdin)[0]):
        print(f"      {heading:<11} {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
