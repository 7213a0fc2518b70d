"""What a vertex does. Every field counts for its digest; paths are absolute and clean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

MountType = Literal["bind", "cache", "tmpfs", "secret", "ssh"]


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes from outside: ``docker-image://``, ``local://``, ``git://``, ``http(s)://``, and how to take them."""

    identifier: str
    attributes: tuple[tuple[str, str], ...] = ()  # sorted

    @property
    def scheme(self) -> str:
        """What stands before ``://``."""
        return self.identifier.partition("://")[0]

    @property
    def rest(self) -> str:
        """What stands behind it."""
        return self.identifier.partition("://")[2]

    def attribute(self, name: str) -> str:
        """Return an attribute, "" when it is not there."""
        return dict(self.attributes).get(name, "")


@dataclass(frozen=True, slots=True)
class Mount:
    """Something a command sees at ``target``; input 0 at ``/`` is its root."""

    target: str
    input: int = -1  # index of an input; -1: an empty folder
    selector: str = ""  # a path in the input
    output: int = -1  # index of the output that what is written becomes; -1: none
    read_only: bool = False
    type: MountType = "bind"
    id: str = ""  # of a cache, a secret or an agent
    sharing: str = "shared"  # of a cache
    size_bytes: int = 0  # of a tmpfs
    uid: int = 0
    gid: int = 0
    mode: int = 0
    optional: bool = False  # a secret or agent that may be absent


@dataclass(frozen=True, slots=True)
class SecretVariable:
    """A secret in the environment of a command."""

    name: str
    id: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Exec:
    """Run a command."""

    args: tuple[str, ...]
    env: tuple[str, ...] = ()
    cwd: str = "/"
    user: str = ""
    mounts: tuple[Mount, ...] = (Mount("/", 0, output=0),)
    network: str = "default"  # default | none | host
    security: str = "sandbox"  # sandbox | insecure
    hostname: str = ""
    extra_hosts: tuple[str, ...] = ()  # name:address
    ulimits: tuple[tuple[str, int, int], ...] = ()  # name, soft, hard
    cgroup_parent: str = ""
    shm_bytes: int = 0
    secret_env: tuple[SecretVariable, ...] = ()
    devices: tuple[tuple[str, bool], ...] = ()  # CDI name, whether it is required
    exit_codes: tuple[int, ...] = ()  # that are success; none: 0 alone


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns a file: a number, or a name that is looked up in the target's own accounts."""

    user: str | int = 0
    group: str | int | None = None  # None: the user's own


@dataclass(frozen=True, slots=True)
class Copy:
    """Copy from an input into the target."""

    input: int
    source: str
    destination: str  # a "/" at its end: into that folder
    owner: Owner | None = None  # None: as in the source
    mode: str = ""  # octal or symbolic; "": as in the source
    follow_links: bool = False
    contents_only: bool = False  # of a folder: what is in it
    unpack: bool = False  # archives
    create_parents: bool = True
    wildcards: bool = False
    allow_empty: bool = False  # of a wildcard
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    created_ns: int | None = None


@dataclass(frozen=True, slots=True)
class MakeFolder:
    """Make a folder; one that exists is left as it is."""

    path: str
    mode: int = 0o755
    parents: bool = False
    owner: Owner | None = None
    created_ns: int | None = None


@dataclass(frozen=True, slots=True)
class MakeFile:
    """Make a file with this content."""

    path: str
    content: bytes
    mode: int = 0o644
    owner: Owner | None = None
    created_ns: int | None = None


@dataclass(frozen=True, slots=True)
class MakeLink:
    """Make a symbolic link."""

    path: str
    target: str
    owner: Owner | None = None
    created_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove a file or a folder with all in it."""

    path: str
    allow_missing: bool = False
    wildcards: bool = False


FileAction: TypeAlias = Copy | MakeFolder | MakeFile | MakeLink | Remove


@dataclass(frozen=True, slots=True)
class File:
    """Change files, one action after the other."""

    actions: tuple[FileAction, ...]
    base: int = 0  # the input that is changed; -1: start from nothing


@dataclass(frozen=True, slots=True)
class Merge:
    """All inputs, the later ones over the earlier."""


@dataclass(frozen=True, slots=True)
class Diff:
    """What the second input has beyond the first; -1 stands for nothing."""

    lower: int = 0
    upper: int = 1


@dataclass(frozen=True, slots=True)
class Build:
    """What comes of another graph, which a file of the one input holds (BuildKit, pb.BuildOp)."""

    path: str


Operation: TypeAlias = Source | Exec | File | Merge | Diff | Build
