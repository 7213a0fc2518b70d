"""What is put into a container's file system: volumes, secrets, configs, devices; and its ports."""

from __future__ import annotations

from wharf.compose.model.base import FileMode, Part, Size


class Port(Part):
    """A published port (compose-spec 05-services.md, "ports")."""

    name: str = ""
    mode: str = ""
    host_ip: str = ""
    target: int = 0
    published: str = ""
    protocol: str = ""
    app_protocol: str = ""


class BindOptions(Part):
    """Options of a bind mount."""

    selinux: str = ""
    propagation: str = ""
    create_host_path: bool | None = None  # None: as if true
    recursive: str = ""


class VolumeOptions(Part):
    """Options of a mounted volume."""

    labels: dict[str, str] = {}
    nocopy: bool = False
    subpath: str = ""


class TmpfsOptions(Part):
    """Options of a tmpfs."""

    size: Size = Size(0)
    mode: int = 0


class ImageOptions(Part):
    """Options of a mounted image."""

    subpath: str = ""


class Mount(Part):
    """An entry of a service's ``volumes``."""

    type: str = ""
    source: str = ""
    target: str = ""
    read_only: bool = False
    consistency: str = ""
    bind: BindOptions | None = None
    volume: VolumeOptions | None = None
    tmpfs: TmpfsOptions | None = None
    image: ImageOptions | None = None


class FileReference(Part):
    """A secret or a config in a service."""

    source: str = ""
    target: str = ""
    uid: str = ""
    gid: str = ""
    mode: FileMode | None = None


class Device(Part):
    """A device of the host in a container."""

    source: str = ""
    target: str = ""
    permissions: str = ""


class DeviceRequest(Part):
    """Devices by capability: GPUs and what CDI knows."""

    capabilities: list[str] = []
    driver: str = ""
    count: int | str = 0
    device_ids: list[str] = []
    options: dict[str, str] | list[str] = {}
