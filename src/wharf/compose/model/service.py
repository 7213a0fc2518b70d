"""A service: containers that are alike (compose-spec 05-services.md)."""

from __future__ import annotations

import msgspec

from wharf.compose.model.base import Duration, Part, Size
from wharf.compose.model.build import Build, printed_hosts
from wharf.compose.model.deploy import Deploy
from wharf.compose.model.hooks import Dependency, Develop, EnvFile, HealthCheck, Hook
from wharf.compose.model.mounts import Device, DeviceRequest, FileReference, Mount, Port
from wharf.compose.model.resources import Blkio, CredentialSpec, Logging, Provided, Ulimit


class Attachment(Part):
    """A service in a network."""

    aliases: list[str] = []
    driver_opts: dict[str, str] = {}
    gw_priority: int = 0
    interface_name: str = ""
    ipv4_address: str = ""
    ipv6_address: str = ""
    link_local_ips: list[str] = []
    mac_address: str = ""
    priority: int = 0


class ModelUse(Part):
    """A model in a service: which variables tell of it."""

    endpoint_var: str = ""
    model_var: str = ""


class Extended(Part):
    """What a service extends; gone once it is loaded."""

    file: str = ""
    service: str = ""


class Service(Part):
    """One service, complete."""

    profiles: list[str] = []
    annotations: dict[str, str] = {}
    attach: bool | None = None
    build: Build | None = None
    develop: Develop | None = None
    blkio_config: Blkio | None = None
    cap_add: list[str] = []
    cap_drop: list[str] = []
    cgroup_parent: str = ""
    cgroup: str = ""
    cpu_count: int = 0
    cpu_percent: float = 0
    cpu_period: int | str = 0
    cpu_quota: int | str = 0
    cpu_rt_period: str = ""
    cpu_rt_runtime: str = ""
    cpus: float = 0
    cpuset: str = ""
    cpu_shares: int = 0
    command: list[str] | None = None
    configs: list[FileReference] = []
    container_name: str = ""
    credential_spec: CredentialSpec | None = None
    depends_on: dict[str, Dependency] = {}
    deploy: Deploy | None = None
    device_cgroup_rules: list[str] = []
    devices: list[Device] = []
    dns: list[str] = []
    dns_opt: list[str] = []
    dns_search: list[str] = []
    domainname: str = ""
    entrypoint: list[str] | None = None
    provider: Provided | None = None
    environment: dict[str, str | None] = {}
    env_file: list[EnvFile] = []
    expose: list[str] = []
    extends: Extended | None = None
    external_links: list[str] = []
    extra_hosts: dict[str, list[str]] = {}
    group_add: list[str] = []
    gpus: list[DeviceRequest] = []
    hostname: str = ""
    healthcheck: HealthCheck | None = None
    image: str = ""
    init: bool | None = None
    ipc: str = ""
    isolation: str = ""
    labels: dict[str, str] = {}
    label_file: list[str] = []
    links: list[str] = []
    logging: Logging | None = None
    mem_limit: Size = Size(0)
    mem_reservation: Size = Size(0)
    memswap_limit: Size = Size(0)
    mem_swappiness: int = 0
    mac_address: str = ""
    models: dict[str, ModelUse | None] = {}
    network_mode: str = ""
    networks: dict[str, Attachment | None] = {}
    oom_kill_disable: bool = False
    oom_score_adj: int = 0
    pid: str | None = None
    pids_limit: int = 0
    platform: str = ""
    ports: list[Port] = []
    privileged: bool = False
    pull_policy: str = ""
    pull_refresh_after: str = ""
    read_only: bool = False
    restart: str = ""
    runtime: str = ""
    scale: int | None = None
    secrets: list[FileReference] = []
    security_opt: list[str] = []
    shm_size: Size = Size(0)
    stdin_open: bool = False
    stop_grace_period: Duration | None = None
    stop_signal: str = ""
    storage_opt: dict[str, str] = {}
    sysctls: dict[str, str] = {}
    tmpfs: list[str] = []
    tty: bool = False
    ulimits: dict[str, Ulimit | int] = {}
    use_api_socket: bool = False
    user: str = ""
    userns_mode: str = ""
    uts: str = ""
    volumes: list[Mount] = []
    volumes_from: list[str] = []
    working_dir: str = ""
    pre_start: list[Hook] = []
    post_start: list[Hook] = []
    pre_stop: list[Hook] = []
    label: str = msgspec.field(default="", name="#name")
    declared: str = msgspec.field(default="", name="#declared")
    """The hash of what the files say, once the service was given more (``wharf.compose.provided``)."""

    in_json = frozenset({"command", "entrypoint"})

    @property
    def name(self) -> str:
        """The service's name in the project."""
        return self.label

    @property
    def replicas(self) -> int:
        """How many containers there shall be."""
        if self.scale is not None:
            return self.scale
        if self.deploy is not None and self.deploy.replicas is not None:
            return self.deploy.replicas
        return 1

    def printed(self, *, as_json: bool = False) -> dict[str, object]:
        """Return the service as docker compose prints it."""
        out = super().printed(as_json=as_json)
        for own in ("#name", "#declared"):
            out.pop(own, None)
        if self.extra_hosts:
            out["extra_hosts"] = printed_hosts(self.extra_hosts)
        emptied: dict[str, object] = {
            field: [] for field in ("command", "entrypoint") if getattr(self, field) == [] and not as_json
        }
        if emptied:  # in YAML an image's command that is taken away is told, in its place
            out = {
                name: {**out, **emptied}[name]
                for name in dict.fromkeys((*self.__struct_encode_fields__, *out))
                if name in out or name in emptied
            }
        return out

    def networks_in_order(self) -> list[str]:
        """Return its networks, the one with the highest priority first; of equal ones by name."""
        return sorted(self.networks, key=lambda name: (-(getattr(self.networks[name], "priority", 0) or 0), name))
