"""Image references, ``[domain/]path[:tag][@digest]``, in Docker's grammar and with Docker's defaults.

===============  =================================  ==============
as typed         canonical                          familiar
===============  =================================  ==============
``busybox``      ``docker.io/library/busybox``      ``busybox``
``me/app:1``     ``docker.io/me/app:1``             ``me/app:1``
``host:5000/a``  ``host:5000/a``                    the same
===============  =================================  ==============
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from wharf.errors import InvalidArgument
from wharf.lib.digest import Digest, parse_digest

DEFAULT_DOMAIN: Final = "docker.io"
HUB_HOST: Final = "index.docker.io"
"""Where Docker Hub's names lead: by the one name it has for credentials and search too."""
DEFAULT_TAG: Final = "latest"
_OFFICIAL: Final = "library/"
_MAX_NAME: Final = 255

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_TAG: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_NAME: Final = re.compile(rf"(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*")
_WHOLE: Final = re.compile(r"(?P<name>[^@]+?)(?::(?P<tag>[^:/@]*))?(?:@(?P<digest>.*))?", re.DOTALL)
_ID: Final = re.compile(r"[0-9a-f]{64}")
_ID_PREFIX: Final = re.compile(r"(?:sha256:)?([0-9a-f]{1,64})")


@dataclass(frozen=True, slots=True)
class Reference:
    """A parsed reference; ``domain`` and ``path`` are canonical."""

    domain: str
    path: str
    tag: str | None = None
    digest: Digest | None = None

    @property
    def repository(self) -> str:
        """The canonical name: ``docker.io/library/busybox``."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_repository(self) -> str:
        """The name as people type it: ``busybox``."""
        if self.domain != DEFAULT_DOMAIN:
            return self.repository
        bare = self.path.removeprefix(_OFFICIAL)
        return bare if "/" not in bare else self.path

    @property
    def familiar(self) -> str:
        """The whole reference as people type it: ``busybox:latest``."""
        return self.familiar_repository + self._suffix()

    def __str__(self) -> str:
        return self.repository + self._suffix()

    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def with_default_tag(self) -> Reference:
        """Return it with the tag ``latest`` when it has neither tag nor digest."""
        return self if self.tag or self.digest else replace(self, tag=DEFAULT_TAG)

    def with_tag(self, tag: str) -> Reference:
        """Return it with another tag and no digest.

        Raises:
            InvalidArgument: ``tag`` is not spelt as one.
        """
        if not _TAG.fullmatch(tag):
            raise InvalidArgument("invalid tag format")
        return replace(self, tag=tag, digest=None)

    def with_digest(self, digest: Digest) -> Reference:
        """Return it with a digest and no tag."""
        return replace(self, tag=None, digest=digest)


def parse_reference(text: str) -> Reference:
    """Return the reference that ``text`` spells, canonical but without a default tag.

    Raises:
        InvalidArgument: it is not a reference, in Docker's words.
    """
    if _ID.fullmatch(text):
        raise InvalidArgument(f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings")
    match = _WHOLE.fullmatch(text)
    if not match:
        raise InvalidArgument("invalid reference format")
    domain, path = _split_domain(match["name"])
    _check_name(domain, path)
    if match["tag"] is not None and not _TAG.fullmatch(match["tag"]):
        raise InvalidArgument("invalid reference format")
    digest = None if match["digest"] is None else _digest(match["digest"])
    return Reference(domain, path, match["tag"], digest)


def id_prefix(text: str) -> str | None:
    """Return the hex digits when ``text`` can be an image's id or the start of one, else None."""
    match = _ID_PREFIX.fullmatch(text)
    return match[1] if match else None


def _check_name(domain: str, path: str) -> None:
    name = f"{domain}/{path}"
    if path.lower() != path:
        raise InvalidArgument(f"invalid reference format: repository name ({path}) must be lowercase")
    if not _NAME.fullmatch(name):
        raise InvalidArgument("invalid reference format")
    if len(name) > _MAX_NAME:
        raise InvalidArgument(f"repository name must not be more than {_MAX_NAME} characters")


def _split_domain(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and (set(".:") & set(first) or first == "localhost" or first.lower() != first):
        domain, path = first, rest
    else:
        domain, path = DEFAULT_DOMAIN, name
    if domain == HUB_HOST:
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and "/" not in path:
        path = _OFFICIAL + path
    return domain, path


def _digest(text: str) -> Digest:
    try:
        return parse_digest(text)
    except InvalidArgument:
        raise InvalidArgument("invalid reference format") from None
