"""One registry at one address, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from wharf.errors import InvalidArgument


@dataclass(frozen=True, slots=True)
class Host:
    """One registry at one address."""

    name: str  # host[:port], as certificates and credentials call it
    schemes: tuple[str, ...] = ("https",)  # to be tried in this order
    verified: bool = True  # whether its certificate must be good
    mirror: bool = False  # it has copies: never pushed to, and passed over when it fails
    prefix: str = ""  # of the path, before /v2
    whole_path: bool = False  # ``prefix`` stands for /v2 too
    resolves: bool = True  # it may be asked what a tag stands for, not only for what has a digest
    authorities: tuple[Path, ...] = ()  # besides those of its folder
    own: tuple[tuple[Path, Path], ...] = ()  # certificates of ours to show it, with their keys
    headers: tuple[tuple[str, str], ...] = ()  # to send with each request to it

    def base(self, scheme: str) -> str:
        """Return the address of its API."""
        return f"{scheme}://{self.name}{self.prefix}"

    def url(self, scheme: str, path: str) -> str:
        """Return the address of ``path`` (``/v2/…``) of its API."""
        return self.base(scheme) + (path.removeprefix("/v2") if self.whole_path else path)


def address_parts(address: str, what: str) -> SplitResult:
    """Return the parts of a registry's address.

    Raises:
        InvalidArgument: it is none; the message says of ``what``.
    """
    try:
        parts = urlsplit(address)
    except ValueError:  # brackets that are no IPv6 address
        parts = urlsplit("")
    if (
        parts.scheme not in ("http", "https")
        or not parts.netloc
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise InvalidArgument(f'invalid {what}: "{address}" must be http[s]://HOST[:PORT][/PATH]')
    return parts
