"""A whole project: services and what they share."""

from __future__ import annotations

import msgspec

from wharf.compose.model.base import Part
from wharf.compose.model.service import Service


class Pool(Part):
    """A range of addresses."""

    subnet: str = ""
    gateway: str = ""
    ip_range: str = ""
    aux_addresses: dict[str, str] = {}


class Ipam(Part):
    """How a network's addresses are given out."""

    driver: str = ""
    config: list[Pool] = []
    options: dict[str, str] = {}


class Network(Part):
    """A network of a project (compose-spec 06-networks.md)."""

    name: str = ""
    driver: str = ""
    driver_opts: dict[str, str] = {}
    ipam: Ipam = msgspec.field(default_factory=Ipam)
    external: bool = False
    internal: bool = False
    attachable: bool = False
    labels: dict[str, str] = {}
    enable_ipv4: bool | None = None
    enable_ipv6: bool | None = None
    in_json = frozenset({"ipam"})


class Volume(Part):
    """A volume of a project (compose-spec 07-volumes.md)."""

    name: str = ""
    driver: str = ""
    driver_opts: dict[str, str] = {}
    external: bool = False
    labels: dict[str, str] = {}


class FileObject(Part):
    """A secret or a config (compose-spec 08-configs.md, 09-secrets.md)."""

    name: str = ""
    file: str = ""
    environment: str = ""
    content: str = ""
    external: bool = False
    labels: dict[str, str] = {}
    driver: str = ""
    driver_opts: dict[str, str] = {}
    template_driver: str = ""


class Model(Part):
    """A language model (compose-spec models.md)."""

    name: str = ""
    model: str = ""
    context_size: int = 0
    runtime_flags: list[str] = []


class Project(Part):
    """Everything that files, variables and flags say together."""

    name: str = ""
    services: dict[str, Service] = {}
    networks: dict[str, Network] = {}
    volumes: dict[str, Volume] = {}
    secrets: dict[str, FileObject] = {}
    configs: dict[str, FileObject] = {}
    models: dict[str, Model] = {}
    disabled: dict[str, Service] = msgspec.field(default_factory=dict, name="#disabled")
    """Services that no active profile asks for."""
    environment: dict[str, str] = msgspec.field(default_factory=dict, name="#environment")
    """The variables that were there for interpolation."""
    separator: str = msgspec.field(default="-", name="#separator")
    """Between the parts of names: an underscore in compatibility mode."""
    working_dir: str = msgspec.field(default="", name="#working_dir")
    files: list[str] = msgspec.field(default_factory=list, name="#files")

    always = frozenset({"services"})

    def printed(self, *, as_json: bool = False) -> dict[str, object]:
        """Return the project as ``docker compose config`` prints it."""
        out = {key: value for key, value in super().printed(as_json=as_json).items() if not key.startswith("#")}
        return {**out, **self.extensions} if as_json else out
