"""``deploy``: replicas, resources and how to restart; the parts about many machines are kept and printed."""

from __future__ import annotations

from typing import Any

import msgspec

from wharf.compose.model.base import Duration, Part, Size
from wharf.compose.model.mounts import DeviceRequest


class UpdateConfig(Part):
    """How replicas are replaced."""

    parallelism: int | None = None
    delay: Duration = Duration(0)
    failure_action: str = ""
    monitor: Duration = Duration(0)
    max_failure_ratio: float = 0
    order: str = ""


class Resource(Part):
    """Limits or reservations."""

    cpus: float = 0
    memory: Size = Size(0)
    pids: int = 0
    devices: list[DeviceRequest] = []
    generic_resources: list[dict[str, Any]] = []


class Resources(Part):
    """Limits and reservations."""

    limits: Resource | None = None
    reservations: Resource | None = None


class RestartPolicy(Part):
    """When a replica that ended is started again."""

    condition: str = ""
    delay: Duration | None = None
    max_attempts: int | None = None
    window: Duration | None = None


class Placement(Part):
    """Where replicas go."""

    constraints: list[str] = []
    preferences: list[dict[str, Any]] = []
    max_replicas_per_node: int = 0


class Deploy(Part):
    """How a service is deployed (compose-spec deploy.md)."""

    mode: str = ""
    replicas: int | None = None
    labels: dict[str, str] = {}
    update_config: UpdateConfig | None = None
    rollback_config: UpdateConfig | None = None
    resources: Resources = msgspec.field(default_factory=Resources)
    restart_policy: RestartPolicy | None = None
    placement: Placement = msgspec.field(default_factory=Placement)
    endpoint_mode: str = ""
    in_json = frozenset({"resources", "placement"})
