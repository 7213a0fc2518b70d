"""Groups below a container's, one for each controller if need be: where a process of it is put on cgroup v1."""

from __future__ import annotations

import errno
import os

from wharf.kernel.cgroup.entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wharf.kernel.cgroup.hierarchy import Hierarchies

ALL = ""


class Inner:
    """Doors into groups that exist below one group.

    ``paths`` has a path below the group by controller, and by :data:`ALL` that of all others; absent: the group.
    """

    __slots__ = ("_group", "_hierarchies", "_paths")

    def __init__(self, group: str, paths: Mapping[str, str], hierarchies: Hierarchies) -> None:
        self._group = group
        self._hierarchies = hierarchies
        self._paths = dict(paths)

    def open_entry(self) -> Entry:
        """Open the doors, as :meth:`wharf.kernel.cgroup.group.Cgroup.open_entry`.

        Raises:
            OSError: ENOENT: there is no such group; EINVAL: a controller that is not mounted on v1, or two paths for
                controllers that are mounted together.
        """
        if unknown := self._paths.keys() - {ALL, *self._hierarchies.v1}:
            raise OSError(errno.EINVAL, f"no hierarchy has the controller {min(unknown)}")
        entry = Entry([], -1)
        try:
            for root in self._hierarchies.roots:
                path = f"{root}{self._group}/{self._path_in(root)}".rstrip("/")
                if root == self._hierarchies.v2:
                    entry.v2 = os.open(path, os.O_DIRECTORY | os.O_RDONLY | os.O_CLOEXEC)
                else:
                    entry.v1.append(os.open(f"{path}/tasks", os.O_WRONLY | os.O_CLOEXEC))
        except OSError:
            entry.close()
            raise
        return entry

    def _path_in(self, root: str) -> str:
        named = {
            self._paths[name] for name, its in self._hierarchies.v1.items() if its == root and name in self._paths
        }
        if len(named) > 1:
            raise OSError(errno.EINVAL, f"the controllers in {root} have one path")
        return next(iter(named), self._paths.get(ALL, "")).strip("/")
