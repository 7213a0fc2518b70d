"""Volumes as the Engine API spells them."""

from typing import TypedDict


class VolumeUsageData(TypedDict, total=False):
    """VolumeUsageData (Engine API, definitions)."""

    Size: int | None
    RefCount: int | None


class Volume(TypedDict, total=False):
    """Volume (Engine API, definitions)."""

    Name: str | None
    Driver: str | None
    Mountpoint: str | None
    CreatedAt: str | None
    Labels: dict[str, str] | None
    Scope: str | None
    Options: dict[str, str] | None
    Status: dict[str, object] | None
    UsageData: VolumeUsageData | None


class VolumeCreateRequest(TypedDict, total=False):
    """VolumeCreateRequest (Engine API, definitions)."""

    Name: str | None
    Driver: str | None
    DriverOpts: dict[str, str] | None
    Labels: dict[str, str] | None
    ClusterVolumeSpec: dict[str, object] | None


class VolumeListResponse(TypedDict, total=False):
    """VolumeListResponse (Engine API, definitions)."""

    Volumes: list[Volume] | None
    Warnings: list[str] | None
