"""The OCI runtime specification's config.json (runtime-spec 1.3, config.md and config-linux.md)."""

from typing import Literal, TypedDict

OCI_VERSION = "1.3.0"


class User(TypedDict, total=False):
    """config.md "User".

    ``username`` and ``groupnames`` are ours: "name|uid[:group|gid]" and supplementary groups as Docker takes them,
    looked up by the runtime in the container's own /etc/passwd and /etc/group. They win over the numbers.
    """

    uid: int
    gid: int
    umask: int
    additionalGids: list[int]
    username: str
    groupnames: list[str]


class ConsoleSize(TypedDict):
    """config.md "consoleSize", in characters."""

    height: int
    width: int


class Rlimit(TypedDict):
    """config.md "rlimits": type is RLIMIT_*."""

    type: str
    soft: int
    hard: int


class Capabilities(TypedDict, total=False):
    """config.md "capabilities": names such as CAP_CHOWN."""

    bounding: list[str]
    effective: list[str]
    inheritable: list[str]
    permitted: list[str]
    ambient: list[str]


class Scheduler(TypedDict, total=False):
    """config.md "scheduler"."""

    policy: str
    nice: int
    priority: int
    flags: list[str]
    runtime: int
    deadline: int
    period: int


IOPriority = TypedDict("IOPriority", {"class": str, "priority": int}, total=False)


class ExecCPUAffinity(TypedDict, total=False):
    """config.md "execCPUAffinity": lists of CPUs such as "0-3,7"."""

    initial: str
    final: str


class Process(TypedDict, total=False):
    """config.md "Process"."""

    terminal: bool
    consoleSize: ConsoleSize
    cwd: str
    env: list[str]
    args: list[str]
    rlimits: list[Rlimit]
    apparmorProfile: str
    capabilities: Capabilities
    noNewPrivileges: bool
    oomScoreAdj: int
    scheduler: Scheduler
    selinuxLabel: str
    ioPriority: IOPriority
    execCPUAffinity: ExecCPUAffinity
    user: User


class Root(TypedDict, total=False):
    """config.md "Root"."""

    path: str
    readonly: bool


class IDMapping(TypedDict):
    """config-linux.md "User namespace mappings"."""

    containerID: int
    hostID: int
    size: int


class Mount(TypedDict, total=False):
    """config.md "Mounts"."""

    destination: str
    type: str
    source: str
    options: list[str]
    uidMappings: list[IDMapping]
    gidMappings: list[IDMapping]


class Hook(TypedDict, total=False):
    """config.md "POSIX-platform Hooks"; timeout in seconds."""

    path: str
    args: list[str]
    env: list[str]
    timeout: int


class Hooks(TypedDict, total=False):
    """config.md "POSIX-platform Hooks"."""

    prestart: list[Hook]
    createRuntime: list[Hook]
    createContainer: list[Hook]
    startContainer: list[Hook]
    poststart: list[Hook]
    poststop: list[Hook]


NamespaceType = Literal["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"]


class Namespace(TypedDict, total=False):
    """config-linux.md "Namespaces"."""

    type: NamespaceType
    path: str


class Device(TypedDict, total=False):
    """config-linux.md "Devices"."""

    type: str
    path: str
    major: int
    minor: int
    fileMode: int
    uid: int
    gid: int


class DeviceRule(TypedDict, total=False):
    """config-linux.md "Allowed Device list"."""

    allow: bool
    type: str
    major: int
    minor: int
    access: str


class Memory(TypedDict, total=False):
    """config-linux.md "Memory", bytes."""

    limit: int
    reservation: int
    swap: int
    kernel: int
    kernelTCP: int
    swappiness: int
    disableOOMKiller: bool
    useHierarchy: bool
    checkBeforeUpdate: bool


class CPU(TypedDict, total=False):
    """config-linux.md "CPU"; quota, period and burst in microseconds."""

    shares: int
    quota: int
    burst: int
    period: int
    realtimeRuntime: int
    realtimePeriod: int
    cpus: str
    mems: str
    idle: int


class WeightDevice(TypedDict, total=False):
    """config-linux.md "Block IO"."""

    major: int
    minor: int
    weight: int
    leafWeight: int


class ThrottleDevice(TypedDict):
    """config-linux.md "Block IO"; rate in bytes or operations a second."""

    major: int
    minor: int
    rate: int


class BlockIO(TypedDict, total=False):
    """config-linux.md "Block IO"."""

    weight: int
    leafWeight: int
    weightDevice: list[WeightDevice]
    throttleReadBpsDevice: list[ThrottleDevice]
    throttleWriteBpsDevice: list[ThrottleDevice]
    throttleReadIOPSDevice: list[ThrottleDevice]
    throttleWriteIOPSDevice: list[ThrottleDevice]


class HugepageLimit(TypedDict):
    """config-linux.md "Huge page limits", bytes."""

    pageSize: str
    limit: int


class InterfacePriority(TypedDict):
    """config-linux.md "Network"."""

    name: str
    priority: int


class NetworkResources(TypedDict, total=False):
    """config-linux.md "Network"."""

    classID: int
    priorities: list[InterfacePriority]


class Pids(TypedDict, total=False):
    """config-linux.md "PIDs"."""

    limit: int


class RdmaLimit(TypedDict, total=False):
    """config-linux.md "RDMA"."""

    hcaHandles: int
    hcaObjects: int


class Resources(TypedDict, total=False):
    """config-linux.md "Control groups"."""

    devices: list[DeviceRule]
    memory: Memory
    cpu: CPU
    pids: Pids
    blockIO: BlockIO
    hugepageLimits: list[HugepageLimit]
    network: NetworkResources
    rdma: dict[str, RdmaLimit]
    unified: dict[str, str]


class SyscallArg(TypedDict, total=False):
    """config-linux.md "Seccomp"."""

    index: int
    value: int
    valueTwo: int
    op: str


class SyscallRule(TypedDict, total=False):
    """config-linux.md "Seccomp"."""

    names: list[str]
    action: str
    errnoRet: int
    args: list[SyscallArg]


class Seccomp(TypedDict, total=False):
    """config-linux.md "Seccomp"."""

    defaultAction: str
    defaultErrnoRet: int
    architectures: list[str]
    flags: list[str]
    listenerPath: str
    listenerMetadata: str
    syscalls: list[SyscallRule]


class TimeOffset(TypedDict, total=False):
    """config-linux.md "Offset for Time Namespace"."""

    secs: int
    nanosecs: int


class Personality(TypedDict, total=False):
    """config-linux.md "Personality"."""

    domain: str
    flags: list[str]


class MemoryPolicy(TypedDict, total=False):
    """config-linux.md "Memory policy": mode is MPOL_*, nodes a list such as "0-3,7", flags are MPOL_F_*."""

    mode: str
    nodes: str
    flags: list[str]


class NetDevice(TypedDict, total=False):
    """config-linux.md "Network Devices": the name inside."""

    name: str


class IntelRdt(TypedDict, total=False):
    """config-linux.md "IntelRdt"."""

    closID: str
    l3CacheSchema: str
    memBwSchema: str
    schemata: list[str]
    enableMonitoring: bool


class Linux(TypedDict, total=False):
    """config-linux.md."""

    namespaces: list[Namespace]
    uidMappings: list[IDMapping]
    gidMappings: list[IDMapping]
    timeOffsets: dict[str, TimeOffset]
    devices: list[Device]
    cgroupsPath: str
    resources: Resources
    rootfsPropagation: str
    seccomp: Seccomp
    sysctl: dict[str, str]
    maskedPaths: list[str]
    readonlyPaths: list[str]
    mountLabel: str
    personality: Personality
    intelRdt: IntelRdt
    memoryPolicy: MemoryPolicy
    netDevices: dict[str, NetDevice]


class Spec(TypedDict, total=False):
    """config.json."""

    ociVersion: str
    root: Root
    process: Process
    hostname: str
    domainname: str
    mounts: list[Mount]
    hooks: Hooks
    annotations: dict[str, str]
    linux: Linux


class State(TypedDict, total=False):
    """runtime.md "State"."""

    ociVersion: str
    id: str
    status: Literal["creating", "created", "running", "stopped", "paused"]
    pid: int
    bundle: str
    annotations: dict[str, str]
