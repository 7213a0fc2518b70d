"""Which hosts to ask for a repository, and how: Docker Hub's names, mirrors, certificates, plain HTTP.

Pure, but for looking which certificates there are.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from wharf.errors import InvalidArgument
from wharf.images.registry.host import Host, address_parts
from wharf.images.registry.host_files import HostFile, host_file_of
from wharf.lib.reference import DEFAULT_DOMAIN, HUB_HOST

DEFAULT_CERTIFICATES: Final = (Path("/etc/wharf/certs.d"), Path("/etc/docker/certs.d"))


@dataclass(frozen=True, slots=True)
class RegistryOptions:
    """How an engine treats registries: dockerd's options of the same names.

    ``mirrors`` are addresses by the domain they stand for (``docker.io``), in the order to try them; plain HTTP is
    allowed where the address says so. ``insecure`` lists hosts (``host[:port]``) and networks (CIDR) whose
    certificates need not be good and which may speak plain HTTP; loopback always is one. Below each of
    ``certificates`` a folder ``host[:port]`` may hold ``*.crt`` (authorities), ``*.cert`` with ``*.key`` (the
    client's own), and ``hosts.toml`` (see :mod:`wharf.images.registry.host_files`).
    """

    mirrors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    insecure: tuple[str, ...] = ()
    certificates: tuple[Path, ...] = DEFAULT_CERTIFICATES
    downloads: int = 3  # at once, of one pull
    uploads: int = 5  # at once, of one push
    attempts: int = 5  # at each request, and at each place of a download
    http_proxy: str = ""  # empty: what the environment says
    https_proxy: str = ""
    no_proxy: str = ""  # hosts, separated by commas

    def __post_init__(self) -> None:
        """Check what was told; InvalidArgument when an address is none, or a number makes no sense."""
        if min(self.downloads, self.uploads, self.attempts) < 1:
            raise InvalidArgument("downloads, uploads and attempts of registries must be 1 or more")
        _networks(self.insecure)
        for addresses in self.mirrors.values():
            for address in addresses:
                mirror_host(address)


def hosts_of(domain: str, options: RegistryOptions) -> list[Host]:
    """Return where to pull a domain's images from: its mirrors, those of its file first, then itself."""
    file = host_file_of(domain, options.certificates)
    more = (mirror_host(address) for address in options.mirrors.get(domain, ()))
    return [*(file.mirrors if file else ()), *more, _origin(domain, options, file)]


def origin(domain: str, options: RegistryOptions, *, insecure: bool = False) -> Host:
    """Return the registry of a domain itself: where to push; ``insecure``: as if it were listed as such."""
    found = _origin(domain, options, host_file_of(domain, options.certificates))
    return replace(found, schemes=("https", "http"), verified=False) if insecure else found


def _origin(domain: str, options: RegistryOptions, file: HostFile | None) -> Host:
    if file and file.server:
        return file.server
    name = HUB_HOST if domain == DEFAULT_DOMAIN else domain
    if is_insecure(name, options.insecure):
        return Host(name, ("https", "http"), verified=False)
    return Host(name)


def mirror_host(address: str) -> Host:
    """Return the host of a mirror's address.

    Raises:
        InvalidArgument: it is no address of a mirror.
    """
    parts = address_parts(address, "mirror")
    return Host(
        parts.netloc,
        (parts.scheme,),
        verified=not is_insecure(parts.netloc, ()),
        mirror=True,
        prefix=parts.path.rstrip("/"),
    )


def is_insecure(name: str, listed: tuple[str, ...]) -> bool:
    """Return whether a host may speak plain HTTP: it is listed, or an address of the loopback."""
    bare = (urlsplit(f"//{name}").hostname or "").lower()
    if bare == "localhost" or name in listed or bare in listed:
        return True
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return False
    return address.is_loopback or any(address in network for network in _networks(listed))


def _networks(listed: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = []
    for text in listed:
        if "/" in text:
            try:
                found.append(ipaddress.ip_network(text, strict=False))
            except ValueError:
                raise InvalidArgument(f'invalid insecure registry: "{text}" is no network') from None
    return found


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a host's folder holds."""

    authorities: tuple[Path, ...] = ()
    own: tuple[tuple[Path, Path], ...] = ()  # certificate and key


def certificates_of(name: str, folders: tuple[Path, ...]) -> Certificates:
    """Return the certificates for a host, from the first of ``folders`` that has one for it.

    Raises:
        InvalidArgument: a client's certificate has no key, or a key no certificate.
    """
    for folder in (top / name for top in folders):
        if not folder.is_dir():
            continue
        own = []
        for certificate in sorted(folder.glob("*.cert")):
            key = certificate.with_suffix(".key")
            if not key.exists():
                raise InvalidArgument(f"missing key {key.name} for client certificate {certificate}")
            own.append((certificate, key))
        for key in sorted(folder.glob("*.key")):
            if not key.with_suffix(".cert").exists():
                raise InvalidArgument(f"missing client certificate {key.with_suffix('.cert').name} for key {key}")
        return Certificates(tuple(sorted(folder.glob("*.crt"))), tuple(own))
    return Certificates()
