"""``--network`` and what belongs to it; names and resolvers."""

from __future__ import annotations

import _socket

from wharf.cli.create.pairs import csv_fields, to_map
from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.flags import Values
    from wharf.client.documents import Document

RATE = "wharf.network.rate"
"""The option of an endpoint that says its rates."""


def is_address(text: str) -> bool:
    """Whether ``text`` is an IPv4 or IPv6 address."""
    for family in (_socket.AF_INET, _socket.AF_INET6):
        try:
            _socket.inet_pton(family, text)
        except OSError:
            continue
        return True
    return False


def parse_add_host(text: str) -> str:
    """Return ``name:address`` of ``name:address`` or ``name=address``, an IPv6 address without brackets.

    Raises:
        InvalidArgument: it is malformed.
    """
    cut = min((i for i in (text.find(":"), text.find("=")) if i >= 0), default=-1)
    if cut <= 0:
        raise InvalidArgument(f'bad format for add-host: "{text}"')
    name, address = text[:cut], text[cut + 1 :]
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if address != "host-gateway" and not is_address(address):
        raise InvalidArgument(f'invalid IP address in add-host: "{address}"')
    return f"{name}:{address}"


def check_dns(text: str) -> None:
    """Refuse what is no address."""
    if not is_address(text.strip()):
        raise InvalidArgument(f"IP address is not correctly formatted: {text}")


def normal_mac(text: str) -> str:
    """Return a MAC address as it was given.

    Raises:
        InvalidArgument: it is none.
    """
    parts = text.replace("-", ":").split(":")
    hexadecimal = set("0123456789abcdefABCDEF")
    if len(parts) != 6 or not all(len(part) == 2 and set(part) <= hexadecimal for part in parts):
        raise InvalidArgument(f"{text} is not a valid mac address")
    return text


class Attachment:
    """One network a container joins, as the command line says it."""

    __slots__ = (
        "aliases",
        "driver_options",
        "gateway_priority",
        "ipv4",
        "ipv6",
        "link_local",
        "links",
        "mac",
        "target",
    )

    def __init__(self, target: str) -> None:
        self.target = target
        self.aliases: list[str] = []
        self.links: list[str] = []
        self.link_local: list[str] = []
        self.driver_options: dict[str, str] = {}
        self.ipv4 = self.ipv6 = self.mac = ""
        self.gateway_priority = 0

    def document(self) -> Document:
        """Return the EndpointSettings."""
        ipam: Document = {}
        if self.ipv4:
            ipam["IPv4Address"] = self.ipv4
        if self.ipv6:
            ipam["IPv6Address"] = self.ipv6
        if self.link_local:
            ipam["LinkLocalIPs"] = self.link_local
        return {
            "IPAMConfig": ipam or None,
            "Links": self.links or None,
            "Aliases": self.aliases or None,
            "MacAddress": self.mac,
            "DriverOpts": self.driver_options or None,
            "GwPriority": self.gateway_priority,
            "NetworkID": "",
            "EndpointID": "",
            "Gateway": "",
            "IPAddress": "",
            "IPPrefixLen": 0,
            "IPv6Gateway": "",
            "GlobalIPv6Address": "",
            "GlobalIPv6PrefixLen": 0,
            "DNSNames": None,
        }


def _parse(text: str) -> Attachment:
    if "=" not in text:
        return Attachment(text)
    found = Attachment("")
    for field in csv_fields(text):
        key, separator, value = field.strip().partition("=")
        if not separator:
            raise InvalidArgument(f"invalid field {field}")
        _set_field(found, key.strip().lower(), value.strip())
    if not found.target:
        raise InvalidArgument("network name/id is not specified")
    return found


def _set_field(found: Attachment, key: str, value: str) -> None:
    match key:
        case "name":
            found.target = value
        case "alias":
            found.aliases.append(value)
        case "ip":
            found.ipv4 = value
        case "ip6":
            found.ipv6 = value
        case "link-local-ip":
            found.link_local.append(value)
        case "mac-address":
            found.mac = normal_mac(value)
        case "driver-opt":
            found.driver_options.update(to_map([value]))
        case "gw-priority":
            found.gateway_priority = int(value) if value.removeprefix("-").isdigit() else 0
        case _:
            raise InvalidArgument(f"invalid field key {key}")


def attachments(values: Values) -> list[Attachment]:
    """Return the networks to join, the first being the NetworkMode; flags like --ip belong to the first.

    Raises:
        InvalidArgument: a field is wrong, or both a field and its flag are given.
    """
    found = [_parse(text) for text in (*values.items("network"), *values.items("net"))] or [Attachment("default")]
    if any(len(found) > 1 and (n.target in {"host", "none"} or n.target.startswith("container:")) for n in found):
        raise InvalidArgument(
            "conflicting options: cannot attach both user-defined and non-user-defined network-modes"
        )
    first = found[0]
    first.aliases += (*values.items("network-alias"), *values.items("net-alias"))
    first.link_local += values.items("link-local-ip")
    if first.target not in {"default", "bridge", "host", "none"}:
        first.links += values.items("link")
    for flag, slot in (("ip", "ipv4"), ("ip6", "ipv6"), ("mac-address", "mac")):
        text = values.text(flag)
        if text and getattr(first, slot):
            raise InvalidArgument(f"conflicting options: cannot specify both --{flag} and per-network {flag}")
        if text:
            setattr(first, slot, normal_mac(text) if flag == "mac-address" else text)
    if rate := values.text("network-rate"):
        for attachment in found:
            attachment.driver_options.setdefault(RATE, rate)
    return found


def endpoints(values: Values) -> tuple[str, dict[str, Document]]:
    """Return (NetworkMode, EndpointsConfig)."""
    found = attachments(values)
    targets = [attachment.target for attachment in found]
    if len(set(targets)) != len(targets):
        twice = next(target for target in targets if targets.count(target) > 1)
        raise InvalidArgument(f'network "{twice}" is specified multiple times')
    documents = {attachment.target: attachment.document() for attachment in found}
    builtin = targets[0] in {"default", "bridge", "host", "none"} or targets[0].startswith("container:")
    given = values.given("network") or values.given("net")
    if builtin and given and documents[targets[0]] == Attachment("").document():
        return targets[0], {}
    return targets[0], documents
