"""What /etc/hosts and /etc/resolv.conf of a container say. Pure: the host's files come in as text."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from wharf.errors import InvalidArgument

_LOCAL = (
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::\tip6-localnet",
    "ff00::\tip6-mcastprefix",
    "ff02::1\tip6-allnodes",
    "ff02::2\tip6-allrouters",
)
HOST_GATEWAY = "host-gateway"


def hosts(
    *, own: Iterable[str] = (), gateways: Sequence[str] = (), extra_hosts: Iterable[str] = (), base: str = ""
) -> str:
    """Return the text of /etc/hosts.

    Args:
        own: the lines of the container itself (:func:`host_lines`).
        gateways: what ``host-gateway`` stands for: the first of each version of IP.
        extra_hosts: ``name:address`` or ``name=address`` (--add-host).
        base: the host's own file, which a container on the host's network keeps.

    Raises:
        InvalidArgument: an extra host without an address, or ``host-gateway`` where there is none.
    """
    lines = [base.rstrip("\n")] if base.strip() else list(_LOCAL)
    lines += [line for entry in extra_hosts for line in _extra(entry, gateways)]
    return "\n".join([*lines, *own]) + "\n"


def host_lines(addresses: Iterable[str], *, hostname: str, domainname: str = "") -> list[str]:
    """Return the lines that say which addresses a container has; the name with its domain comes first (hosts(5))."""
    names = f"{hostname}.{domainname} {hostname}" if domainname else hostname
    return [f"{address}\t{names}" for address in addresses]


def resolv_conf(
    host: str,
    *,
    dns: Sequence[str] = (),
    search: Sequence[str] = (),
    options: Sequence[str] = (),
    keep_loopback: bool = False,
    resolver: str = "",
) -> str:
    """Return the text of /etc/resolv.conf (resolv.conf(5)).

    The host's loopback name servers are left out, for a container's loopback is its own; what the user gave stays.
    No public server is put in where none is left: none is asked that nobody named.

    Args:
        host: the host's file.
        dns: name servers in place of the host's (--dns).
        search: domains in place of the host's; "." for none (--dns-search).
        options: options in place of the host's (--dns-option).
        keep_loopback: the container shares the host's network.
        resolver: the one that answers in the container itself, and asks the others on.

    Raises:
        InvalidArgument: a name server that is no address.
    """
    servers = [_server(s) for s in dns] or [s for s in _values(host, "nameserver") if keep_loopback or _reachable(s)]
    domains = list(search) or _last(host, "search", "domain")
    chosen = list(options) or [o for line in _lines(host, "options") for o in line]
    if resolver:
        servers = [resolver]
        chosen += [] if any(option.startswith("ndots:") for option in chosen) else ["ndots:0"]
    lines = [f"nameserver {server}" for server in servers]
    if domains and domains != ["."]:
        lines.append(f"search {' '.join(domains)}")
    if chosen:
        lines.append(f"options {' '.join(chosen)}")
    return "".join(f"{line}\n" for line in lines)


def _extra(entry: str, gateways: Sequence[str]) -> list[str]:
    name, separator, address = entry.partition("=" if "=" in entry else ":")
    address = address.removeprefix("[").removesuffix("]")
    if address == HOST_GATEWAY:
        firsts = {":" in gateway: gateway for gateway in reversed(gateways)}
        if not firsts:
            raise InvalidArgument("unable to derive the IP value for host-gateway")
        return [f"{firsts[version]}\t{name}" for version in (False, True) if version in firsts]
    if not name or not separator or not _is_address(address) or any(c.isspace() for c in name):
        raise InvalidArgument(f'bad format for add-host: "{entry}"')
    return [f"{address}\t{name}"]


def _server(text: str) -> str:
    if not _is_address(text):
        raise InvalidArgument(f"{text} is not an ip address")
    return text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _reachable(server: str) -> bool:
    return _is_address(server) and not ipaddress.ip_address(server).is_loopback and "%" not in server


def _lines(text: str, *keywords: str) -> list[list[str]]:
    split = [line.split() for line in text.splitlines()]
    return [words[1:] for words in split if len(words) > 1 and words[0] in keywords]


def _values(text: str, keyword: str) -> list[str]:
    return [words[0] for words in _lines(text, keyword)]


def _last(text: str, *keywords: str) -> list[str]:
    return next(reversed(_lines(text, *keywords)), [])
