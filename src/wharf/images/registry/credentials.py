"""Who asks: ``X-Registry-Auth`` and what ``docker login`` stores (Engine API, "Authentication"). Pure."""

from __future__ import annotations

import base64
import binascii
import logging
from dataclasses import dataclass

import msgspec

from wharf.errors import InvalidArgument

log = logging.getLogger("wharf.images.registry")


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """A user's name and password, or tokens that stand for them; none of it is ever printed."""

    username: str = ""
    password: str = ""
    identity_token: str = ""  # an OAuth2 refresh token
    registry_token: str = ""  # a bearer token to send as it is
    server: str = ""  # the registry they are for

    @property
    def basic(self) -> str:
        """The value of a Basic Authorization header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    def __bool__(self) -> bool:
        return bool(self.username or self.identity_token or self.registry_token)


ANONYMOUS = Credentials()


def parse_registry_auth(header: str) -> Credentials:
    """Return what an ``X-Registry-Auth`` header says; anonymous for one that is empty or malformed.

    Docker's daemon takes what is no JSON object in base64url so, too, and clients count on it: they send a word of no
    meaning where nobody has logged in.

    Raises:
        InvalidArgument: the name and password in it are malformed.
    """
    if not header:
        return ANONYMOUS
    try:
        padded = header.strip().replace("+", "-").replace("/", "_").rstrip("=")
        document = msgspec.json.decode(base64.urlsafe_b64decode(padded + "=" * (-len(padded) % 4)))
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
        document = ()
    if document is None:
        return ANONYMOUS
    if not isinstance(document, dict):
        log.warning("a malformed X-Registry-Auth header is taken for none")
        return ANONYMOUS
    return from_document(document)


def from_document(document: dict[str, object]) -> Credentials:
    """Return the credentials of an ``AuthConfig`` document; InvalidArgument when ``auth`` is malformed."""

    def text(key: str) -> str:
        value = document.get(key)
        return value if isinstance(value, str) else ""

    username, password = text("username"), text("password")
    if not username and text("auth"):
        try:
            username, _, password = base64.b64decode(text("auth")).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise InvalidArgument("invalid auth configuration: auth is not base64") from error
    return Credentials(username, password, text("identitytoken"), text("registrytoken"), text("serveraddress"))
