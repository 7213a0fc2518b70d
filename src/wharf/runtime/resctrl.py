"""Intel's Resource Director Technology: a container's class of service in resctrl (config-linux.md "IntelRdt").

::

    <resctrl>/                          where the file system is mounted; also the default class, closID "/"
    └── <closID, or the container's id>/
        ├── schemata, tasks
        └── mon_groups/<the container's id>/    with enableMonitoring
"""

from __future__ import annotations

import os

from wharf.errors import Conflict, InvalidArgument, NotFound, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from wharf.spec.oci_runtime import IntelRdt

_DEFAULT: Final = "/"
_DECIMAL: Final = ("MB", "SMBA")  # bandwidth, of memory and of slow memory


class Class:
    """A container's class, decided; nothing is done yet.

    Attributes:
        folder: below the mount; "" is the mount itself.
        lines: to be written into schemata, in order.
        compared: those of them that a class must have already, if it was there before.
        monitored: name of its monitoring group; "" for none.
        own: the folder is the container's alone, and goes with it.
    """

    __slots__ = ("compared", "folder", "lines", "monitored", "own")

    def __init__(self, wanted: IntelRdt, container_id: str) -> None:
        """Decide.

        Raises:
            InvalidArgument: a name or a line that cannot be meant.
        """
        named = wanted.get("closID") or ""
        self.own = not named
        self.folder = "" if named == _DEFAULT else named or container_id
        if "/" in self.folder or self.folder in (".", ".."):
            raise InvalidArgument(f"linux.intelRdt.closID {named} is no name")
        self.lines = lines_of(wanted)
        self.compared = lines_of({**wanted, "schemata": []})
        self.monitored = container_id if wanted.get("enableMonitoring") else ""

    def place(self, root: str) -> str:
        """Return the path of its folder, of where resctrl is mounted."""
        return f"{root}/{self.folder}".rstrip("/")


def lines_of(wanted: IntelRdt) -> list[str]:
    """Return the lines of schemata, in the order in which they are written.

    Raises:
        InvalidArgument: one has a line break in it where none may be, or is of another resource, or is no line.
    """
    first, last = wanted.get("l3CacheSchema") or "", wanted.get("memBwSchema") or ""
    if last and not last.startswith("MB:"):
        raise InvalidArgument(f"linux.intelRdt.memBwSchema {last} does not begin with MB:")
    # The cache's may have several lines, though it should not: code and data apart.
    lines = [line for line in (*first.split("\n"), last, *(wanted.get("schemata") or ())) if line]
    try:
        parse(lines)
    except ValueError as error:
        raise InvalidArgument(f"linux.intelRdt has a line that is none of schemata's: {error}") from error
    return lines


def mount_point(mounts: str) -> str:
    """Return where resctrl is mounted, of the text of /proc/self/mounts.

    Raises:
        Unavailable: nowhere.
    """
    for line in mounts.splitlines():
        _, place, kind, *_ = line.split(" ")
        if kind == "resctrl":
            return place
    raise Unavailable("linux.intelRdt: no resctrl file system is mounted")


def find() -> str:
    """Return where resctrl is mounted here.

    Raises:
        Unavailable: nowhere.
    """
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
        return mount_point(file.read())


def enter(root: str, wanted: Class, pid: int) -> list[str]:
    """Put process ``pid`` into its class; return the folders that go with the container, the inner ones first.

    Raises:
        Conflict: a class of that name is there with other lines.
        NotFound: it shall be there, and is not.
        OSError: the kernel refuses: what was made is removed again.
    """
    made: list[str] = []
    folder = wanted.place(root)
    try:
        _find_or_make(folder, wanted, made)
        if wanted.monitored:
            group = f"{folder}/mon_groups/{wanted.monitored}"
            os.mkdir(group, 0o755)
            made.insert(0, group)
        join(root, wanted, pid)
    except BaseException:
        leave(made)
        raise
    return made


def join(root: str, wanted: Class, pid: int) -> None:
    """Put one more process, and those that it will have, into a class; into none where that has gone.

    Raises:
        OSError: the kernel refuses.
    """
    folder = wanted.place(root)
    groups = [folder, *([f"{folder}/mon_groups/{wanted.monitored}"] if wanted.monitored else [])]
    for group in groups:
        if os.path.isdir(group):
            _write(f"{group}/tasks", str(pid))


def _find_or_make(folder: str, wanted: Class, made: list[str]) -> None:
    exists = os.path.isdir(folder)
    if not wanted.own and exists:
        if wanted.compared:
            _compare(folder, wanted.compared)
        write_lines(folder, wanted.lines)
        return
    if not wanted.own and not wanted.lines:
        raise NotFound(f"linux.intelRdt.closID {wanted.folder} is not there, and there is nothing to make it with")
    os.mkdir(folder, 0o755)
    if wanted.own:
        made.append(folder)
    write_lines(folder, wanted.lines)


def _compare(folder: str, lines: Iterable[str]) -> None:
    wanted = parse(lines)
    with open(f"{folder}/schemata", encoding="utf-8") as file:
        present = parse(line for line in file.read().splitlines() if line.partition(":")[0].strip() in wanted)
    for resource, domains in wanted.items():
        if any(present.get(resource, {}).get(domain) != value for domain, value in domains.items()):
            raise Conflict(f"{folder} has other schemata than linux.intelRdt asks for: {resource}")


def parse(lines: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return resource to domain to value: bandwidth is decimal, masks are hexadecimal.

    Raises:
        ValueError: with the line that is none.
    """
    found: dict[str, dict[str, int]] = {}
    for line in lines:
        resource, colon, rest = line.strip().partition(":")
        if not colon or "\n" in line:
            raise ValueError(line)
        base = 10 if resource in _DECIMAL else 16
        pairs = (entry.partition("=")[::2] for entry in rest.split(";") if entry)
        try:
            found.setdefault(resource, {}).update({domain.strip(): int(value, base) for domain, value in pairs})
        except ValueError:
            raise ValueError(line) from None
    return found


def write_lines(folder: str, lines: Iterable[str]) -> None:
    """Write lines into a class's schemata, one at a time: the kernel tells which it refuses."""
    for line in lines:
        _write(f"{folder}/schemata", f"{line}\n")


def leave(made: Iterable[str]) -> None:
    """Remove what went with a container; its processes fall back to the default class. Idempotent."""
    for folder in made:
        if os.path.isdir(folder):
            os.rmdir(folder)


def _write(path: str, text: str) -> None:
    with open(path, "wb", buffering=0) as file:
        file.write(text.encode())
