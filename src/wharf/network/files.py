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
    *,
    hostname: str,
    domainname: str = "",
    ipv4: str | None = None,
    gateway: str | None = None,
    extra_hosts: Iterable[str] = (),
    base: str = "",
) -> str:
    """Return the text of /etc/hosts.

    Args:
        hostname: the container's own name.
        domainname: its domain; a name with the domain comes first, as hosts(5) has it.
        ipv4: its address, if it has one.
        gateway: what ``host-gateway`` stands for.
        extra_hosts: ``name:address`` or ``name=address`` (--add-host).
        base: the host's own file, which a container on the host's network keeps.

    Raises:
        InvalidArgument: an extra host without an address, or ``host-gateway`` where there is none.
    """
    lines = [base.rstrip("\n")] if base.strip() else list(_LOCAL)
    lines += [_extra(entry, gateway) for entry in extra_hosts]
    if ipv4:
        names = f"{hostname}.{domainname} {hostname}" if domainname else hostname
        lines.append(f"{ipv4}\t{names}")
    return "\n".join(lines) + "\n"


def resolv_conf(
    host: str,
    *,
    dns: Sequence[str] = (),
    search: Sequence[str] = (),
    options: Sequence[str] = (),
    keep_loopback: bool = False,
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

    Raises:
        InvalidArgument: a name server that is no address.
    """
    servers = [_server(s) for s in dns] or [s for s in _values(host, "nameserver") if keep_loopback or _reachable(s)]
    domains = list(search) or _last(host, "search", "domain")
    chosen = list(options) or [o for line in _lines(host, "options") for o in line]
    lines = [f"nameserver {server}" for server in servers]
    if domains and domains != ["."]:
        lines.append(f"search {' '.join(domains)}")
    if chosen:
        lines.append(f"options {' '.join(chosen)}")
    return "".join(f"{line}\n" for line in lines)


def _extra(entry: str, gateway: str | None) -> str:
    name, separator, address = entry.partition("=" if "=" in entry else ":")
    address = address.removeprefix("[").removesuffix("]")
    if address == HOST_GATEWAY:
        if not gateway:
            raise InvalidArgument("unable to derive the IP value for host-gateway")
        address = gateway
    if not name or not separator or not _is_address(address) or any(c.isspace() for c in name):
        raise InvalidArgument(f'bad format for add-host: "{entry}"')
    return f"{address}\t{name}"


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
