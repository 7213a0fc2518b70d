"""What the pure functions of this package need to know of the host and of earlier decisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from wharf.lib.remap import Remap
from wharf.spec.engine_api.container import ContainerConfig, HostConfig
from wharf.spec.oci_runtime import Device
from wharf.spec.rootless import World

ALL_CONTROLLERS = frozenset({"blkio", "cpu", "cpuset", "devices", "freezer", "memory", "pids"})
"""As v1 names them; what a container's limits and life want."""


@dataclass(frozen=True, slots=True)
class ResolvedMount:
    """A mount whose source has been found (or made) on the host."""

    type: str  # bind | volume | tmpfs | image
    source: str  # a host path; "" for tmpfs
    target: str
    read_only: bool = False
    recursive: bool = True
    propagation: str = ""
    options: tuple[str, ...] = ()  # tmpfs: size=…, mode=…
    read_only_below: bool = True  # read_only holds for what is mounted below it too, where the kernel can
    our_own: bool = False  # its files are the engine's to keep, with containers' ids
    lower: tuple[str, ...] = ()  # image: the folders of its layers, the uppermost first


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What the machine can do; read once at start."""

    cgroup2: bool  # the unified hierarchy has the controllers
    seccomp: bool
    kernel: tuple[int, int]
    arch: str  # as Go names it: amd64, arm64
    capabilities: frozenset[str]  # the bounding set
    cpus: int
    controllers: frozenset[str] = ALL_CONTROLLERS  # of control groups that containers can have
    rootless: bool = False  # root is a plain user outside
    one_id: bool = False  # and nobody else exists
    apparmor: bool = False  # the kernel runs with it
    selinux: bool = False
    world: World | None = None  # what the launcher of a rootless engine has told


@dataclass(frozen=True, slots=True)
class Joined:
    """Namespaces of another container that this one enters: paths below /proc/<pid>/ns, by OCI type.

    ``shm_of``: the process whose /dev/shm is this container's too.
    """

    paths: dict[str, str] = field(default_factory=dict)
    shm_of: int | None = None


@dataclass(frozen=True, slots=True)
class UserNamespace:
    """The user namespace that a container enters: where it is open, and its mappings."""

    path: str
    ids: Remap


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything :func:`wharf.engine.ocispec.build.build` looks at."""

    container_id: str
    name: str
    config: ContainerConfig  # the image's configuration already merged in
    host_config: HostConfig
    argv: list[str]
    hostname: str
    folder: Path  # the bundle: hosts, hostname, resolv.conf
    cgroups_path: str
    sandbox: str | None  # network namespace to enter; None: one of its own, "" : the host's
    mounts: list[ResolvedMount]
    devices: list[Device]
    joined: Joined
    facts: HostFacts
    user: UserNamespace | None = None  # None: the host's
