"""Limits of a service: block input and output, ulimits."""

from __future__ import annotations

from wharf.compose.model.base import Part, Size


class _OfDevice(Part):
    def printed(self, *, as_json: bool = False) -> dict[str, object]:
        """Return it as docker compose prints it: in JSON these keys alone are capitalized."""
        found = super().printed(as_json=as_json)
        return {name.capitalize(): value for name, value in found.items()} if as_json else found


class WeightDevice(_OfDevice):
    """A device's share of block input and output."""

    path: str = ""
    weight: int = 0
    always = frozenset({"path", "weight"})


class ThrottleDevice(_OfDevice):
    """A device's limit of block input and output, in bytes or operations a second."""

    path: str = ""
    rate: Size = Size(0)
    always = frozenset({"path", "rate"})


class Blkio(Part):
    """Block input and output."""

    weight: int = 0
    weight_device: list[WeightDevice] = []
    device_read_bps: list[ThrottleDevice] = []
    device_read_iops: list[ThrottleDevice] = []
    device_write_bps: list[ThrottleDevice] = []
    device_write_iops: list[ThrottleDevice] = []


class Ulimit(Part):
    """A soft and a hard limit."""

    soft: int = 0
    hard: int = 0
    always = frozenset({"soft", "hard"})


class Logging(Part):
    """Where a container's output goes."""

    driver: str = ""
    options: dict[str, str] = {}


class Provided(Part):
    """A service that a program outside provides (``provider``)."""

    type: str = ""
    options: dict[str, list[str]] = {}


class CredentialSpec(Part):
    """A Windows credential."""

    config: str = ""
    file: str = ""
    registry: str = ""
