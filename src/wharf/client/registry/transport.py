"""Requests to one registry; meets challenges and redirects.

They go by TLS. A registry on loopback, or one that is said to be insecure, may show any certificate, and is asked by
plain HTTP where it speaks no TLS: the engine's own rule for such registries.
"""

from __future__ import annotations

import http.client
import ipaddress
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

from wharf.client.credentials import HUB, stored_for
from wharf.client.registry.tokens import Tokens
from wharf.errors import Unavailable
from wharf.lib.challenge import parse_challenges
from wharf.lib.reference import DEFAULT_DOMAIN, HUB_HOST

MAX_ANSWER = 4 * 1024 * 1024
"""A manifest is not larger (distribution-spec, "Pushing Manifests")."""
_TIMEOUT_S = 60.0
_HANDSHAKE_S = 5.0
_MAX_REDIRECTS = 5
Body = bytes | Iterable[bytes]


class Transport:
    """Asks the registry of one domain."""

    def __init__(self, domain: str, environment: Mapping[str, str], *, plain: bool = False) -> None:
        """Prepare.

        Args:
            domain: ``host[:port]``, or Docker Hub's.
            environment: Where to look for stored credentials.
            plain: Whether the registry is insecure, as one on loopback is in any case.

        Raises as :func:`wharf.client.credentials.stored_for`.
        """
        host = HUB_HOST if domain == DEFAULT_DOMAIN else domain
        self._insecure = plain or is_loopback(host)
        self._host = host
        self._scheme = "" if self._insecure else "https"  # not known before it was tried
        self._contexts: dict[bool, ssl.SSLContext] = {}  # by whether certificates are verified
        self._tokens = Tokens(stored_for(HUB if domain == DEFAULT_DOMAIN else domain, environment), self._fetch)

    @contextmanager
    def request(
        self, method: str, path: str, scopes: list[str], *, headers: Mapping[str, str] | None = None, body: Body = b""
    ) -> Iterator[http.client.HTTPResponse]:
        """Make a request; a challenge is met once, redirects of what is read are followed.

        Args:
            method: Of HTTP.
            path: Below the registry's address, or an address that the registry gave.
            scopes: What a token has to allow.
            headers: More of them.
            body: An iterable is sent once: what needs a token is asked for before.

        Raises:
            Unauthorized: it wants credentials that are not there.
            Unavailable: it cannot be reached, or does not speak HTTP.
        """
        if not self._scheme:
            self._scheme = "https" if self._speaks_tls() else "http"
        url = urljoin(self._base, path)
        response = self._send(method, url, self._with_token(headers, url), body)
        if response.status == 401:
            challenges = parse_challenges(response.headers.get_all("WWW-Authenticate") or [])
            response.close()
            self._tokens.answer(challenges, scopes, secure=self._scheme == "https")
            response = self._send(method, url, self._with_token(headers, url), body)
        for _ in range(_MAX_REDIRECTS if method in {"GET", "HEAD"} else 0):
            if response.status not in {301, 302, 303, 307, 308}:
                break
            url = urljoin(url, response.headers.get("Location", ""))
            response.close()
            response = self._send(method, url, self._with_token(headers, url), b"")
        with response:
            yield response

    @property
    def _base(self) -> str:
        return f"{self._scheme}://{self._host}"

    def _speaks_tls(self) -> bool:
        parts = urlsplit(f"//{self._host}")
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=_HANDSHAKE_S, context=self._context(self._host)
        )
        try:
            connection.connect()
        except (OSError, http.client.HTTPException, ValueError):  # whatever it is, plain HTTP will tell
            return False
        finally:
            connection.close()
        return True

    def _context(self, netloc: str) -> ssl.SSLContext:
        """Return how TLS is spoken with a host: an insecure registry may show any certificate, nobody else may."""
        verified = not (self._insecure and (netloc == self._host or is_loopback(netloc)))
        if verified not in self._contexts:
            context = ssl.create_default_context()
            if not verified:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            self._contexts[verified] = context
        return self._contexts[verified]

    def _with_token(self, headers: Mapping[str, str] | None, url: str) -> dict[str, str]:
        """Return the headers for an address: the token is for the registry alone, and not for where it leads to."""
        found = {"User-Agent": "wharf", **(headers or {})}
        if self._tokens.header and urlsplit(url)[:2] == urlsplit(self._base)[:2]:
            found["Authorization"] = self._tokens.header
        return found

    def _fetch(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        with self._send(method, url, dict(headers), body) as response:
            return response.status, read_whole(response)

    def _send(self, method: str, url: str, headers: dict[str, str], body: Body) -> http.client.HTTPResponse:
        parts = urlsplit(url)
        connection: http.client.HTTPConnection
        try:
            if parts.scheme == "https":
                name, port, context = parts.hostname or "", parts.port, self._context(parts.netloc)
                connection = http.client.HTTPSConnection(name, port, timeout=_TIMEOUT_S, context=context)
            elif parts.scheme == "http" and self._scheme == "http":
                connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
            else:
                raise Unavailable(f"the registry leads to {url}, which is no https address")
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body=body or None, headers=headers)
            return connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(f"cannot ask the registry: {parts.scheme}://{parts.netloc}: {error}") from error


def read_whole(response: http.client.HTTPResponse, limit: int = MAX_ANSWER) -> bytes:
    """Return a body of at most ``limit`` bytes.

    Raises:
        Unavailable: it is larger, or ends early.
    """
    try:
        found = response.read(limit + 1)
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"the registry ended its answer early: {error}") from error
    if len(found) > limit:
        raise Unavailable(f"the registry sent more than {limit} bytes")
    return found


def is_loopback(host: str) -> bool:
    """Return whether a ``host[:port]`` is this machine."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
