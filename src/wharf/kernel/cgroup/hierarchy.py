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

    @property
    def controllers(self) -> frozenset[str]:
        """What groups can have here, as v1 names it: on v2, io is blkio, and the freezer is every group's own.

        Devices, which are a program's there, are not among them: that wants root of the machine.
        """
        unified = {"blkio" if name == "io" else name for name in self.v2_controllers}
        return frozenset(self.v1) | unified | ({"freezer"} if self.v2 is not None else set())


def parse_mountinfo(text: str) -> tuple[dict[str, str], str | None]:
    """Return the v1 mount points by controller and the v2 mount point (proc_pid_mountinfo(5)).

    A hierarchy mounted more than once is used where it was mounted first, among those that can be reached.
    """
    v1: dict[str, str] = {}
    v2: str | None = None
    lines = [line.partition(" - ") for line in text.splitlines()]
    mounts = {fields[0]: (fields[1], fields[4]) for fields in (left.split(" ", 5) for left, _, _ in lines)}
    for left, _, right in lines:
        if not right.startswith("cgroup"):
            continue
        number, _parent, _device, root, point, _rest = left.split(" ", 5)
        if root.startswith("/..") or _is_hidden(number, mounts):  # above our namespace, or below another mount
            continue
        mountpoint = _unescape(point)
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
        with open(f"{v2}/cgroup.controllers", encoding="utf-8") as file:
            offered = frozenset(file.read().split())
    return Hierarchies(v1, v2, offered)


def _is_hidden(number: str, mounts: dict[str, tuple[str, str]]) -> bool:
    """Whether something is mounted over this mount, or over a folder on the way to it.

    On the way from the root each mount leads to the next, unless another one, on the same mount, comes before.
    """
    then, target = "", mounts[number][1]
    while number in mounts and number != then:
        for other, (parent, over) in mounts.items():
            if parent == number and other not in (then, number) and f"{target}/".startswith(f"{over.rstrip('/')}/"):
                return True
        target = mounts[number][1]
        then, number = number, mounts[number][0]
    return False


def _unescape(field: str) -> str:
    for octal, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(octal, character)
    return field
