"""Images that a build starts from, brought from their registries: those that are not here, or all when asked to."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import msgspec

from wharf.engine.context import Context
from wharf.errors import InvalidArgument
from wharf.images.registry.credentials import ANONYMOUS, Credentials, from_document
from wharf.lib.reference import DEFAULT_DOMAIN, HUB_HOST, parse_reference

Document = dict[str, object]
Ask = Callable[[str], Awaitable[Credentials]]
"""Returns who asks a registry, given by its host."""


class Pulling:
    """Brings images in; what their registries and the transfer say goes to ``tell``."""

    def __init__(self, context: Context, ask: Ask, tell: Callable[[Document], None]) -> None:
        self._context = context
        self._ask = ask
        self._tell = tell

    async def bring(self, reference: str, platform: str | None) -> None:
        """Pull an image.

        Raises:
            NotFound: its registry does not have it.
            Unavailable: the registry cannot be reached.
        """
        domain = parse_reference(reference).domain
        credentials = await self._ask(domain)
        work = self._context.images.transfers.pull(reference, platform=platform, credentials=credentials)
        async with aclosing(work) as documents:
            async for document in documents:
                self._tell(document)


def registry_config(header: str) -> Ask:
    """Return who asks, as an ``X-Registry-Config`` header says: an AuthConfig for each registry (Engine API).

    Raises:
        InvalidArgument: it is not base64url of such a JSON object.
    """
    known: dict[str, Credentials] = {}
    for server, document in _decoded(header).items():
        known[_host(server)] = from_document(document)

    async def ask(domain: str) -> Credentials:
        return known.get(_host(domain), ANONYMOUS)

    return ask


def _decoded(header: str) -> dict[str, dict[str, object]]:
    if not header:
        return {}
    try:
        padded = header.strip().replace("+", "-").replace("/", "_").rstrip("=")
        raw = base64.urlsafe_b64decode(padded + "=" * (-len(padded) % 4))
        return msgspec.json.decode(raw, type=dict[str, dict[str, object]] | None) or {}  # Docker's Go client: null
    except (binascii.Error, msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InvalidArgument("invalid X-Registry-Config header: it is not JSON in base64url") from error


def _host(server: str) -> str:
    host = server.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return DEFAULT_DOMAIN if host == HUB_HOST else host
