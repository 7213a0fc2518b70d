"""Which control group hierarchies are mounted, and which controllers each serves (cgroups(7))."""

from __future__ import annotations

_V1_FLAGS = frozenset({"rw", "ro", "noprefix", "xattr", "clone_children", "cpuset_v2_mode", "favordynmods"})


class Hierarchies:
    """The mounted hierarchies; a value, never changed once read.

    Attributes:
        v1: mount point of each v1 controller; co-mounted controllers share one. A named hierarchy appears
            as ``name=systemd``.
        v2: mount point of the unified hierarchy, or None.
        v2_controllers: what the root of the unified hierarchy offers.
    """

    __slots__ = ("v1", "v2", "v2_controllers")

    def __init__(self, v1: dict[str, str], v2: str | None, v2_controllers: frozenset[str]) -> None:
        self.v1 = v1
        self.v2 = v2
        self.v2_controllers = v2_controllers

    @property
    def roots(self) -> list[str]:
        """Mount points, each once, v1 first."""
        roots = list(dict.fromkeys(self.v1.values()))
        return roots if self.v2 is None else [*roots, self.v2]


def parse_mountinfo(text: str) -> tuple[dict[str, str], str | None]:
    """Return the v1 mount points by controller and the v2 mount point (proc_pid_mountinfo(5)).

    A hierarchy mounted more than once is used where it was mounted first.
    """
    v1: dict[str, str] = {}
    v2: str | None = None
    for line in text.splitlines():
        left, separator, right = line.partition(" - ")
        if not separator or not right.startswith("cgroup"):
            continue
        mountpoint = _unescape(left.split(" ")[4])
        kind, _source, options = right.split(" ", 2)
        if kind == "cgroup2":
            v2 = v2 or mountpoint
        elif kind == "cgroup":
            for controller in options.split(","):
                if controller not in _V1_FLAGS and not controller.startswith("release_agent="):
                    v1.setdefault(controller, mountpoint)
    return v1, v2


def read_hierarchies() -> Hierarchies:
    """Read what is mounted in the caller's mount namespace.

    Raises:
        OSError: /proc cannot be read.
    """
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        v1, v2 = parse_mountinfo(file.read())
    offered: frozenset[str] = frozenset()
    if v2 is not None:
        with open(f"{v2}/cgroup.controllers", encoding="ascii") as file:
            offered = frozenset(file.read().split())
    return Hierarchies(v1, v2, offered)


def _unescape(field: str) -> str:
    for octal, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(octal, character)
    return field
