"""What is done around a container's life: hooks, health checks, develop triggers, dependencies."""

from __future__ import annotations

import msgspec

from wharf.compose.model.base import Duration, Part


class Hook(Part):
    """A command run in a container (``post_start``, ``pre_stop``), or before it in one of its own (``pre_start``)."""

    command: list[str] | None = None
    user: str = ""
    privileged: bool = False
    working_dir: str = ""
    environment: dict[str, str | None] = {}
    image: str = ""
    per_replica: bool | None = None
    in_json = frozenset({"command"})


class Trigger(Part):
    """What a change of files does (``develop.watch``)."""

    path: str = ""
    action: str = ""
    target: str = ""
    exec: Hook = msgspec.field(default_factory=Hook)
    include: list[str] = []
    ignore: list[str] = []
    initial_sync: bool = False
    always = frozenset({"path", "action"})
    in_json = frozenset({"exec"})


class Develop(Part):
    """A service under development."""

    watch: list[Trigger] = []


class HealthCheck(Part):
    """How a container's health is found out."""

    test: list[str] = []
    timeout: Duration | None = None
    interval: Duration | None = None
    retries: int | None = None
    start_period: Duration | None = None
    start_interval: Duration | None = None
    disable: bool = False


class Dependency(Part):
    """What another service must have reached first."""

    condition: str = "service_started"
    restart: bool = False
    required: bool = True
    always = frozenset({"required"})


class EnvFile(Part):
    """A file of variables."""

    path: str = ""
    required: bool = True
    format: str = ""
    always = frozenset({"path", "required"})
