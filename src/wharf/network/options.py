"""What the options of a network and of an endpoint mean (``-o com.docker.network...``). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from wharf.errors import InvalidArgument
from wharf.network import rates
from wharf.network.endpoint import UNLIMITED, Rate

_BRIDGE = "com.docker.network.bridge."
_DRIVER = "com.docker.network.driver."
_ENDPOINT = "com.docker.network.endpoint."
GATEWAY_MODES: Final = ("nat", "nat-unprotected", "routed", "isolated")
PUBLISH: Final = ("docker", "firewall")
_TRUE: Final = ("1", "t", "T", "TRUE", "true", "True")
_FALSE: Final = ("0", "f", "F", "FALSE", "false", "False")
_LINK_NAME = re.compile(r"[^\s/:]{1,15}")

DEFAULT_BRIDGE: Final = f"{_BRIDGE}default_bridge"
NAME: Final = f"{_BRIDGE}name"
MTU: Final = f"{_DRIVER}mtu"
PREFIX: Final = "com.docker.network.container_iface_prefix"
PUBLISHING: Final = "wharf.network.publish"
RATE: Final = "wharf.network.rate"
SYSCTLS: Final = f"{_ENDPOINT}sysctls"
INTERFACE: Final = f"{_ENDPOINT}ifname"


@dataclass(frozen=True, slots=True)
class BridgeOptions:
    """The options of the bridge driver."""

    name: str = ""
    icc: bool = True  # containers reach each other
    masquerade: bool = True
    mtu: int = 0  # 0 for the kernel's
    host_ip: str = ""  # where ports are published that name no address
    source_ipv4: str = ""  # what outgoing packets bear, in place of the interface's address
    source_ipv6: str = ""
    mode_ipv4: str = "nat"
    mode_ipv6: str = "nat"
    inhibit_ipv4: bool = False  # the bridge has no address of its own
    publish: str = "docker"  # or "firewall": published ports obey the host's own (see judging)
    prefix: str = "eth"  # of the names of containers' interfaces

    def mode(self, version: int) -> str:
        """The gateway mode of one version of IP."""
        return self.mode_ipv4 if version == 4 else self.mode_ipv6


def bridge_options(options: Mapping[str, str], *, internal: bool = False) -> BridgeOptions:
    """Return what ``options`` of a bridge network say.

    Raises:
        InvalidArgument: an unknown option or a value that is none.
    """
    found: dict[str, object] = {}
    for name, value in options.items():
        if name == DEFAULT_BRIDGE:
            continue
        if name not in _PARSERS:
            raise InvalidArgument(f"option {name} of a bridge network is not supported by this build of wharf")
        field, parse = _PARSERS[name]
        found[field] = parse(name, value)
    parsed = BridgeOptions(**found)  # type: ignore[arg-type]  # each parser returns its field's type
    if "isolated" in (parsed.mode_ipv4, parsed.mode_ipv6) and not internal:
        raise InvalidArgument("gateway mode 'isolated' can only be used for an internal network")
    return parsed


def _truth(name: str, value: str) -> bool:
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    raise InvalidArgument(f'failed to parse {name} value: "{value}" is not a boolean')


def mtu(name: str, value: str) -> int:
    """Return the MTU that ``value`` spells; ``name`` is for the error."""
    if not value.isascii() or not value.isdecimal() or not 68 <= int(value) <= 65535:
        raise InvalidArgument(f'failed to parse {name} value: "{value}" is not between 68 and 65535')
    return int(value)


def _address(name: str, value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        raise InvalidArgument(f'failed to parse {name} value: "{value}" is not an IP address') from None


def _publish(name: str, value: str) -> str:
    if value not in PUBLISH:
        raise InvalidArgument(
            f"unknown way to publish ports {value} (option {name}): use one of {', '.join(PUBLISH)}"
        )
    return value


def _mode(name: str, value: str) -> str:
    if value not in GATEWAY_MODES:
        raise InvalidArgument(f"unknown gateway mode {value} (option {name}): use one of {', '.join(GATEWAY_MODES)}")
    return value


def link_name(name: str, value: str) -> str:
    """Return ``value``, which must be able to name a network interface; ``name`` is for the error."""
    if not _LINK_NAME.fullmatch(value) or value in (".", ".."):
        raise InvalidArgument(f'{name}: "{value}" is not a valid interface name')
    return value


_PARSERS: Final = {
    NAME: ("name", link_name),
    f"{_BRIDGE}enable_icc": ("icc", _truth),
    f"{_BRIDGE}enable_ip_masquerade": ("masquerade", _truth),
    f"{_BRIDGE}host_binding_ipv4": ("host_ip", _address),
    f"{_BRIDGE}gateway_mode_ipv4": ("mode_ipv4", _mode),
    f"{_BRIDGE}gateway_mode_ipv6": ("mode_ipv6", _mode),
    f"{_BRIDGE}inhibit_ipv4": ("inhibit_ipv4", _truth),
    MTU: ("mtu", mtu),
    "com.docker.network.host_ipv4": ("source_ipv4", _address),
    "com.docker.network.host_ipv6": ("source_ipv6", _address),
    PREFIX: ("prefix", link_name),
    PUBLISHING: ("publish", _publish),
}


@dataclass(frozen=True, slots=True)
class EndpointOptions:
    """The options of one endpoint (``--network name=n,driver-opt=...``)."""

    sysctls: tuple[tuple[str, str], ...] = ()  # with IFNAME for the interface
    interface: str = ""
    rate: Rate = UNLIMITED


def endpoint_options(options: Mapping[str, str]) -> EndpointOptions:
    """Return what ``options`` of an endpoint say; what nobody knows is left out (:func:`unknown_to_endpoints`).

    Raises:
        InvalidArgument: a value that is none.
    """
    return EndpointOptions(
        sysctls=_sysctls(options.get(SYSCTLS) or ""),
        interface=link_name(INTERFACE, options[INTERFACE]) if INTERFACE in options else "",
        rate=rates.parse(options.get(RATE) or ""),
    )


def unknown_to_endpoints(options: Mapping[str, str]) -> list[str]:
    """Return the names of ``options`` that mean nothing: Docker's drivers pass over them."""
    return [name for name in options if name not in (SYSCTLS, INTERFACE, RATE)]


def _sysctls(text: str) -> tuple[tuple[str, str], ...]:
    """Return the settings of ``net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.conf.IFNAME.forwarding=0``."""
    found = []
    for setting in filter(None, text.split(",")):
        name, equals, value = setting.partition("=")
        parts = name.split(".")
        if not equals or len(parts) < 5 or parts[0] != "net" or parts[3] != "IFNAME":
            raise InvalidArgument(
                f"unable to parse sysctl '{setting}': use net.<family>.<type>.IFNAME.<name>=<value> in {SYSCTLS}"
            )
        if parts[1] not in ("ipv4", "ipv6", "mpls") or any(p in ("", "..") or "/" in p for p in parts):
            raise InvalidArgument(f"unrecognised sysctl {name} in {SYSCTLS}")
        found.append((name, value))
    return tuple(found)


def interface_prefix(options: Mapping[str, str]) -> str:
    """Return what the names of containers' interfaces begin with, whatever the driver."""
    return options.get(PREFIX) or "eth"


def accepted_mark(text: str) -> str:
    """Return the condition (nft(8)) that a packet has a mark, ``mark[/mask]``, decimal or with ``0x``.

    Raises:
        InvalidArgument: it is none.
    """
    mark, slash, mask = text.partition("/")
    try:
        numbers = int(mark, 0), int(mask, 0) if slash else 0xFFFFFFFF
    except ValueError as error:
        raise InvalidArgument(f"invalid firewall mark {text!r}: it must be mark or mark/mask") from error
    if not all(0 <= number <= 0xFFFFFFFF for number in numbers):
        raise InvalidArgument(f"invalid firewall mark {text!r}: it must have 32 bits")
    return f"meta mark & {numbers[1]:#x} == {numbers[0]:#x}"
