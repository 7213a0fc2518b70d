"""Containers as the Engine API spells them: requests (ContainerConfig, HostConfig) and answers."""

from typing import TypedDict

from wharf.spec.oci_image import Descriptor


class HealthConfig(TypedDict, total=False):
    """HealthConfig (Engine API, definitions)."""

    Test: list[str] | None
    Interval: int | None
    Timeout: int | None
    Retries: int | None
    StartPeriod: int | None
    StartInterval: int | None


class ContainerConfig(TypedDict, total=False):
    """ContainerConfig (Engine API, definitions)."""

    Hostname: str | None
    Domainname: str | None
    User: str | None
    AttachStdin: bool | None
    AttachStdout: bool | None
    AttachStderr: bool | None
    ExposedPorts: dict[str, dict[str, object]] | None
    Tty: bool | None
    OpenStdin: bool | None
    StdinOnce: bool | None
    Env: list[str] | None
    Cmd: list[str] | None
    Healthcheck: HealthConfig | None
    ArgsEscaped: bool | None
    Image: str | None
    Volumes: dict[str, dict[str, object]] | None
    WorkingDir: str | None
    Entrypoint: list[str] | None
    NetworkDisabled: bool | None
    MacAddress: str | None
    OnBuild: list[str] | None
    Labels: dict[str, str] | None
    StopSignal: str | None
    StopTimeout: int | None
    Shell: list[str] | None


class MountBindOptions(TypedDict, total=False):
    """MountBindOptions (Engine API, definitions)."""

    Propagation: str | None
    NonRecursive: bool | None
    CreateMountpoint: bool | None
    ReadOnlyNonRecursive: bool | None
    ReadOnlyForceRecursive: bool | None


class MountVolumeOptionsDriverConfig(TypedDict, total=False):
    """MountVolumeOptionsDriverConfig (Engine API, definitions)."""

    Name: str | None
    Options: dict[str, str] | None


class MountVolumeOptions(TypedDict, total=False):
    """MountVolumeOptions (Engine API, definitions)."""

    NoCopy: bool | None
    Labels: dict[str, str] | None
    DriverConfig: MountVolumeOptionsDriverConfig | None
    Subpath: str | None


class MountImageOptions(TypedDict, total=False):
    """MountImageOptions (Engine API, definitions)."""

    Subpath: str | None


class MountTmpfsOptions(TypedDict, total=False):
    """MountTmpfsOptions (Engine API, definitions)."""

    SizeBytes: int | None
    Mode: int | None
    Options: list[list[str]] | None


class Mount(TypedDict, total=False):
    """Mount (Engine API, definitions)."""

    Target: str | None
    Source: str | None
    Type: str | None
    ReadOnly: bool | None
    Consistency: str | None
    BindOptions: MountBindOptions | None
    VolumeOptions: MountVolumeOptions | None
    ImageOptions: MountImageOptions | None
    TmpfsOptions: MountTmpfsOptions | None


class DeviceMapping(TypedDict, total=False):
    """DeviceMapping (Engine API, definitions)."""

    PathOnHost: str | None
    PathInContainer: str | None
    CgroupPermissions: str | None


class DeviceRequest(TypedDict, total=False):
    """DeviceRequest (Engine API, definitions)."""

    Driver: str | None
    Count: int | None
    DeviceIDs: list[str] | None
    Capabilities: list[list[str]] | None
    Options: dict[str, str] | None


class ThrottleDevice(TypedDict, total=False):
    """ThrottleDevice (Engine API, definitions)."""

    Path: str | None
    Rate: int | None


class RestartPolicy(TypedDict, total=False):
    """RestartPolicy (Engine API, definitions)."""

    Name: str | None
    MaximumRetryCount: int | None


class PortBinding(TypedDict, total=False):
    """PortBinding (Engine API, definitions)."""

    HostIp: str | None
    HostPort: str | None


class HostConfigBlkioWeightDeviceItem(TypedDict, total=False):
    """HostConfigBlkioWeightDeviceItem (Engine API, definitions)."""

    Path: str | None
    Weight: int | None


class HostConfigUlimitsItem(TypedDict, total=False):
    """HostConfigUlimitsItem (Engine API, definitions)."""

    Name: str | None
    Soft: int | None
    Hard: int | None


class HostConfigLogConfig(TypedDict, total=False):
    """HostConfigLogConfig (Engine API, definitions)."""

    Type: str | None
    Config: dict[str, str] | None


class HostConfig(TypedDict, total=False):
    """HostConfig (Engine API, definitions)."""

    CpuShares: int | None
    Memory: int | None
    CgroupParent: str | None
    BlkioWeight: int | None
    BlkioWeightDevice: list[HostConfigBlkioWeightDeviceItem] | None
    BlkioDeviceReadBps: list[ThrottleDevice] | None
    BlkioDeviceWriteBps: list[ThrottleDevice] | None
    BlkioDeviceReadIOps: list[ThrottleDevice] | None
    BlkioDeviceWriteIOps: list[ThrottleDevice] | None
    CpuPeriod: int | None
    CpuQuota: int | None
    CpuRealtimePeriod: int | None
    CpuRealtimeRuntime: int | None
    CpusetCpus: str | None
    CpusetMems: str | None
    Devices: list[DeviceMapping] | None
    DeviceCgroupRules: list[str] | None
    DeviceRequests: list[DeviceRequest] | None
    MemoryReservation: int | None
    MemorySwap: int | None
    MemorySwappiness: int | None
    NanoCpus: int | None
    OomKillDisable: bool | None
    Init: bool | None
    PidsLimit: int | None
    Ulimits: list[HostConfigUlimitsItem] | None
    KernelMemory: int | None  # until 1.41
    KernelMemoryTCP: int | None  # until 1.47
    CpuCount: int | None
    CpuPercent: int | None
    IOMaximumIOps: int | None
    IOMaximumBandwidth: int | None
    Binds: list[str] | None
    ContainerIDFile: str | None
    LogConfig: HostConfigLogConfig | None
    NetworkMode: str | None
    PortBindings: dict[str, list[PortBinding] | None] | None
    RestartPolicy: RestartPolicy | None
    AutoRemove: bool | None
    VolumeDriver: str | None
    VolumesFrom: list[str] | None
    Mounts: list[Mount] | None
    ConsoleSize: list[int] | None
    Annotations: dict[str, str] | None
    CapAdd: list[str] | None
    CapDrop: list[str] | None
    CgroupnsMode: str | None
    Dns: list[str] | None
    DnsOptions: list[str] | None
    DnsSearch: list[str] | None
    ExtraHosts: list[str] | None
    GroupAdd: list[str] | None
    IpcMode: str | None
    Cgroup: str | None
    Links: list[str] | None
    OomScoreAdj: int | None
    PidMode: str | None
    Privileged: bool | None
    PublishAllPorts: bool | None
    ReadonlyRootfs: bool | None
    SecurityOpt: list[str] | None
    StorageOpt: dict[str, str] | None
    Tmpfs: dict[str, str] | None
    UTSMode: str | None
    UsernsMode: str | None
    ShmSize: int | None
    Sysctls: dict[str, str] | None
    Runtime: str | None
    Isolation: str | None
    MaskedPaths: list[str] | None
    ReadonlyPaths: list[str] | None


class EndpointIPAMConfig(TypedDict, total=False):
    """EndpointIPAMConfig (Engine API, definitions)."""

    IPv4Address: str | None
    IPv6Address: str | None
    LinkLocalIPs: list[str] | None


class EndpointSettings(TypedDict, total=False):
    """EndpointSettings (Engine API, definitions)."""

    IPAMConfig: EndpointIPAMConfig | None
    Links: list[str] | None
    MacAddress: str | None
    Aliases: list[str] | None
    DriverOpts: dict[str, str] | None
    GwPriority: int | None
    NetworkID: str | None
    EndpointID: str | None
    Gateway: str | None
    IPAddress: str | None
    IPPrefixLen: int | None
    IPv6Gateway: str | None
    GlobalIPv6Address: str | None
    GlobalIPv6PrefixLen: int | None
    DNSNames: list[str] | None


class NetworkingConfig(TypedDict, total=False):
    """NetworkingConfig (Engine API, definitions)."""

    EndpointsConfig: dict[str, EndpointSettings] | None


class ProcessConfig(TypedDict, total=False):
    """ProcessConfig (Engine API, definitions)."""

    privileged: bool | None
    user: str | None
    tty: bool | None
    entrypoint: str | None
    arguments: list[str] | None


class HealthcheckResult(TypedDict, total=False):
    """HealthcheckResult (Engine API, definitions)."""

    Start: str | None
    End: str | None
    ExitCode: int | None
    Output: str | None


class Health(TypedDict, total=False):
    """Health (Engine API, definitions)."""

    Status: str | None
    FailingStreak: int | None
    Log: list[HealthcheckResult] | None


class ContainerState(TypedDict, total=False):
    """ContainerState (Engine API, definitions)."""

    Status: str | None
    Running: bool | None
    Paused: bool | None
    Restarting: bool | None
    OOMKilled: bool | None
    Dead: bool | None
    Pid: int | None
    ExitCode: int | None
    Error: str | None
    StartedAt: str | None
    FinishedAt: str | None
    Health: Health | None


class MountPoint(TypedDict, total=False):
    """MountPoint (Engine API, definitions)."""

    Type: str | None
    Name: str | None
    Source: str | None
    Destination: str | None
    Driver: str | None
    Mode: str | None
    RW: bool | None
    Propagation: str | None


class DriverData(TypedDict, total=False):
    """DriverData (Engine API, definitions)."""

    Name: str | None
    Data: dict[str, str] | None


class PortSummary(TypedDict, total=False):
    """PortSummary (Engine API, definitions)."""

    IP: str | None
    PrivatePort: int | None
    PublicPort: int | None
    Type: str | None


class NetworkSettings(TypedDict, total=False):
    """NetworkSettings (Engine API, definitions)."""

    SandboxID: str | None
    SandboxKey: str | None
    Ports: dict[str, list[PortBinding] | None] | None
    Networks: dict[str, EndpointSettings] | None


class Address(TypedDict, total=False):
    """Address (Engine API, definitions)."""

    Addr: str | None
    PrefixLen: int | None


class ContainerInspectResponse(TypedDict, total=False):
    """ContainerInspectResponse (Engine API, definitions)."""

    Id: str | None
    Created: str | None
    Path: str | None
    Args: list[str] | None
    State: ContainerState | None
    Image: str | None
    ImageManifestDescriptor: Descriptor
    ResolvConfPath: str | None
    HostnamePath: str | None
    HostsPath: str | None
    LogPath: str | None
    Name: str | None
    RestartCount: int | None
    Driver: str | None
    Platform: str | None
    MountLabel: str | None
    ProcessLabel: str | None
    AppArmorProfile: str | None
    ExecIDs: list[str] | None
    HostConfig: HostConfig | None
    GraphDriver: DriverData | None
    SizeRw: int | None
    SizeRootFs: int | None
    Mounts: list[MountPoint] | None
    Config: ContainerConfig | None
    NetworkSettings: NetworkSettings | None


class ContainerSummaryHostConfig(TypedDict, total=False):
    """ContainerSummaryHostConfig (Engine API, definitions)."""

    NetworkMode: str | None
    Annotations: dict[str, str] | None


class ContainerSummaryNetworkSettings(TypedDict, total=False):
    """ContainerSummaryNetworkSettings (Engine API, definitions)."""

    Networks: dict[str, EndpointSettings] | None


class ContainerSummaryHealth(TypedDict, total=False):
    """ContainerSummaryHealth (Engine API, definitions)."""

    FailingStreak: int | None


class ContainerSummary(TypedDict, total=False):
    """ContainerSummary (Engine API, definitions)."""

    Id: str | None
    Names: list[str] | None
    Image: str | None
    ImageID: str | None
    ImageManifestDescriptor: Descriptor
    Command: str | None
    Created: int | None
    Ports: list[PortSummary] | None
    SizeRw: int | None
    SizeRootFs: int | None
    Labels: dict[str, str] | None
    State: str | None
    Status: str | None
    HostConfig: ContainerSummaryHostConfig | None
    NetworkSettings: ContainerSummaryNetworkSettings | None
    Mounts: list[MountPoint] | None
    Health: ContainerSummaryHealth | None


class FilesystemChange(TypedDict, total=False):
    """FilesystemChange (Engine API, definitions)."""

    Path: str | None
    Kind: int | None


class ContainerCreateResponse(TypedDict, total=False):
    """ContainerCreateResponse (Engine API, definitions)."""

    Id: str | None
    Warnings: list[str] | None


class ContainerUpdateResponse(TypedDict, total=False):
    """ContainerUpdateResponse (Engine API, definitions)."""

    Warnings: list[str] | None


class ContainerPathStat(TypedDict):
    """What X-Docker-Container-Path-Stat holds (Engine API, "ContainerArchiveInfo"); ``mode`` is Go's os.FileMode."""

    name: str
    size: int
    mode: int
    mtime: str
    linkTarget: str


class ContainerTopResponse(TypedDict, total=False):
    """ContainerTopResponse (Engine API, definitions)."""

    Titles: list[str] | None
    Processes: list[list[str]] | None


class ContainerWaitExitError(TypedDict, total=False):
    """ContainerWaitExitError (Engine API, definitions)."""

    Message: str | None


class ContainerWaitResponse(TypedDict, total=False):
    """ContainerWaitResponse (Engine API, definitions)."""

    StatusCode: int | None
    Error: ContainerWaitExitError | None


class ContainerBlkioStatEntry(TypedDict, total=False):
    """ContainerBlkioStatEntry (Engine API, definitions)."""

    major: int | None
    minor: int | None
    op: str | None
    value: int | None


class ContainerBlkioStats(TypedDict, total=False):
    """ContainerBlkioStats (Engine API, definitions)."""

    io_service_bytes_recursive: list[ContainerBlkioStatEntry] | None
    io_serviced_recursive: list[ContainerBlkioStatEntry] | None
    io_queue_recursive: list[ContainerBlkioStatEntry] | None
    io_service_time_recursive: list[ContainerBlkioStatEntry] | None
    io_wait_time_recursive: list[ContainerBlkioStatEntry] | None
    io_merged_recursive: list[ContainerBlkioStatEntry] | None
    io_time_recursive: list[ContainerBlkioStatEntry] | None
    sectors_recursive: list[ContainerBlkioStatEntry] | None


class ContainerCPUUsage(TypedDict, total=False):
    """ContainerCPUUsage (Engine API, definitions)."""

    total_usage: int | None
    percpu_usage: list[int] | None
    usage_in_kernelmode: int | None
    usage_in_usermode: int | None


class ContainerThrottlingData(TypedDict, total=False):
    """ContainerThrottlingData (Engine API, definitions)."""

    periods: int | None
    throttled_periods: int | None
    throttled_time: int | None


class ContainerCPUStats(TypedDict, total=False):
    """ContainerCPUStats (Engine API, definitions)."""

    cpu_usage: ContainerCPUUsage | None
    system_cpu_usage: int | None
    online_cpus: int | None
    throttling_data: ContainerThrottlingData | None


class ContainerPidsStats(TypedDict, total=False):
    """ContainerPidsStats (Engine API, definitions)."""

    current: int | None
    limit: int | None


class ContainerMemoryStats(TypedDict, total=False):
    """ContainerMemoryStats (Engine API, definitions)."""

    usage: int | None
    max_usage: int | None
    stats: dict[str, int] | None
    failcnt: int | None
    limit: int | None
    commitbytes: int | None
    commitpeakbytes: int | None
    privateworkingset: int | None


class ContainerNetworkStats(TypedDict, total=False):
    """ContainerNetworkStats (Engine API, definitions)."""

    rx_bytes: int | None
    rx_packets: int | None
    rx_errors: int | None
    rx_dropped: int | None
    tx_bytes: int | None
    tx_packets: int | None
    tx_errors: int | None
    tx_dropped: int | None
    endpoint_id: str | None
    instance_id: str | None


class ContainerStorageStats(TypedDict, total=False):
    """ContainerStorageStats (Engine API, definitions)."""

    read_count_normalized: int | None
    read_size_bytes: int | None
    write_count_normalized: int | None
    write_size_bytes: int | None


class ContainerStatsResponse(TypedDict, total=False):
    """ContainerStatsResponse (Engine API, definitions)."""

    id: str | None
    name: str | None
    os_type: str | None
    read: str | None
    cpu_stats: ContainerCPUStats | None
    memory_stats: ContainerMemoryStats | None
    networks: dict[str, ContainerNetworkStats] | None
    pids_stats: ContainerPidsStats | None
    blkio_stats: ContainerBlkioStats | None
    num_procs: int | None
    storage_stats: ContainerStorageStats | None
    preread: str | None
    precpu_stats: ContainerCPUStats | None


class ContainerUpdateRequest(HostConfig, total=False):
    """Body of ContainerUpdate; the rates of endpoints (``wharf.network.rate`` in DriverOpts) are our own addition."""

    NetworkingConfig: NetworkingConfig | None


class CreateContainer(ContainerConfig, total=False):
    """Body of ContainerCreate: a container's own configuration, its host's, and its networks'."""

    HostConfig: HostConfig | None
    NetworkingConfig: NetworkingConfig | None
