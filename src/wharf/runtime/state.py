"""What the ``wharf-runtime`` command remembers of its containers.

::

    <root>/<id>/                 made first, removed last: an id is taken as long as it exists
    ├── state.json               pid and start time of init (pid 0: not yet), bundle, control group
    ├── config.json              the specification it was created with
    └── start.sock               init waits on it; gone once it was started
    <root>/@seccomp/             compiled filters, by digest; no id has such a name
"""

from __future__ import annotations

import os
import time

from wharf.errors import Conflict, InvalidArgument, NotFound
from wharf.kernel.cgroup.group import open_cgroup
from wharf.lib.light_json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Literal, TypedDict

    from wharf.kernel.cgroup.group import Cgroup
    from wharf.spec.oci_runtime import Spec, State

    class Record(TypedDict):
        """Content of state.json."""

        id: str
        ociVersion: str
        pid: int
        start_time: int  # clock ticks since boot: with the pid, it names a process for good
        bundle: str
        cgroup: str
        created: str
        annotations: dict[str, str]
        rootfs: str
        owner: int
        resctrl: list[str]  # folders there that go with the container


_ID_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.")


_FILTERS: Final = "@seccomp"


class Folder:
    """The folder of one container."""

    __slots__ = ("_group", "id", "path")

    def __init__(self, root: str, container_id: str) -> None:
        if not container_id or container_id in (".", "..") or not _ID_CHARACTERS.issuperset(container_id):
            raise InvalidArgument(f"invalid container ID format: {container_id}")
        self.id = container_id
        self.path = os.path.join(root, container_id)
        self._group: Cgroup | None = None

    @property
    def socket(self) -> str:
        """Where init waits to be started."""
        return f"{self.path}/start.sock"

    @property
    def filters(self) -> str:
        """Where compiled seccomp filters are kept for all containers."""
        return os.path.join(os.path.dirname(self.path), _FILTERS)

    def group(self, path: str) -> Cgroup:
        """Return the container's control group, which is at ``path``: to find where groups are is done once.

        Raises:
            OSError: EINVAL: no such path can be.
        """
        if self._group is None or self._group.path != path:
            self._group = open_cgroup(path)
        return self._group

    def refuse_taken(self) -> None:
        """Refuse an id that is taken: what is asked for may be wrong in other ways just because it is."""
        if os.path.lexists(self.path):
            raise self._taken()

    def _taken(self) -> Conflict:
        return Conflict(f"container with given ID already exists: {self.id}")

    def make(self, spec: Spec, bundle: str, cgroup: str) -> Record:
        """Take the id.

        Raises:
            Conflict: it is taken.
        """
        try:
            os.makedirs(self.path, mode=0o700)
        except FileExistsError:
            raise self._taken() from None
        record: Record = {
            "id": self.id,
            "ociVersion": spec.get("ociVersion", "1.0.0"),
            "pid": 0,
            "start_time": 0,
            "bundle": bundle,
            "cgroup": cgroup,
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "annotations": spec.get("annotations") or {},
            "rootfs": os.path.join(bundle, (spec.get("root") or {}).get("path") or ""),
            "owner": os.geteuid(),
            "resctrl": [],
        }
        try:
            _write(f"{self.path}/config.json", spec)
            self.save(record)
        except BaseException:
            self.remove()
            raise
        return record

    def save(self, record: Record) -> None:
        """Write state.json, whole or not at all."""
        _write(f"{self.path}/state.json", record)

    def load(self) -> Record:
        """Return what is known.

        Raises:
            NotFound: no such container, or it was never completely made.
        """
        try:
            record: Record = _read(f"{self.path}/state.json")  # type: ignore[assignment]  # our own file
        except FileNotFoundError:
            raise NotFound(f"container does not exist: {self.id}") from None
        return record

    def spec(self) -> Spec:
        """Return the specification it was created with."""
        spec: Spec = _read(f"{self.path}/config.json")  # type: ignore[assignment]  # our own file
        return spec

    def save_spec(self, spec: Spec) -> None:
        """Write config.json anew: the container's limits have changed."""
        _write(f"{self.path}/config.json", spec)

    def status(self, record: Record) -> Literal["creating", "created", "running", "paused", "stopped"]:
        """Return its status (runtime.md "State")."""
        if not record["pid"]:
            return "creating"
        if start_time(record["pid"]) != record["start_time"]:
            return "stopped"
        if self.group(record["cgroup"]).frozen():
            return "paused"
        return "created" if os.path.exists(self.socket) else "running"

    def told(self, record: Record) -> State:
        """Return what hooks and seccomp agents are told, but for status and pid, which depend on the moment."""
        return {
            "ociVersion": record["ociVersion"],
            "id": record["id"],
            "bundle": record["bundle"],
            "annotations": record["annotations"],
        }

    def state(self) -> dict[str, object]:
        """Return the document that callers read: the specification's, and what runc adds to it."""
        record = self.load()
        status = self.status(record)
        return {
            **self.told(record),
            "pid": 0 if status == "stopped" else record["pid"],
            "status": status,
            "rootfs": record["rootfs"],
            "created": record["created"],
            "owner": _name_of(record["owner"]),
        }

    def remove(self) -> None:
        """Give the id back."""
        for name in os.listdir(self.path):
            os.unlink(f"{self.path}/{name}")
        os.rmdir(self.path)


def identifiers(root: str) -> list[str]:
    """Return the ids of all containers below ``root``."""
    try:
        return sorted(name for name in os.listdir(root) if name != _FILTERS)
    except FileNotFoundError:
        return []


def _name_of(uid: int) -> str:
    import pwd  # noqa: PLC0415 - start-up

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def start_time(pid: int) -> int | None:
    """Return when ``pid`` began, in clock ticks since boot; None when it is dead or there is none (proc(5))."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in b"ZX" else int(fields[19])


def _read(path: str) -> object:
    with open(path, "rb", buffering=0) as file:  # no layers of text and buffers: start-up
        return loads(file.read().decode(errors="surrogatepass"))


def _write(path: str, document: Any) -> None:
    temporary = f"{path}.new"
    with open(temporary, "wb") as file:
        file.write(dumps(document).encode(errors="surrogatepass"))
    os.replace(temporary, path)
