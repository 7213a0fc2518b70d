"""Requests to one host by one user: authentication, retries, certificates, plain HTTP where it is allowed."""

from __future__ import annotations

import asyncio
import os
import random
import ssl
import time
import urllib.request
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from wharf.errors import Unauthorized, Unavailable, WharfError
from wharf.images.registry.answers import MAX_ERROR_BYTES, failure
from wharf.images.registry.credentials import ANONYMOUS, Credentials
from wharf.images.registry.host import Host
from wharf.images.registry.hosts import Certificates, RegistryOptions, certificates_of, is_insecure
from wharf.images.registry.reading import read_start
from wharf.images.registry.retrying import AGAIN, Patience, retry_after_s
from wharf.images.registry.tokens import Tokens
from wharf.lib.challenge import Challenge, parse_challenges
from wharf.lib.version import __version__

_CONNECT_S: Final = 15.0
_SILENCE_S: Final = 60.0
_READ_BUFFER: Final = 1024 * 1024
_NEVER_CONNECTED: Final = 2  # attempts: a host that is not there is not there in half a minute either

Body = Callable[[], AsyncIterable[bytes] | bytes]
"""Makes a request's body anew for each attempt."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Time and chance, so that tests can bring their own."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    patience: Patience = field(default_factory=Patience)


class Transport:
    """The connections of an engine to all registries; close it when the engine closes."""

    def __init__(self, options: RegistryOptions, waiting: Waiting | None = None) -> None:
        self.options = options
        self.waiting = waiting or Waiting(patience=Patience(attempts=options.attempts))
        self._session: aiohttp.ClientSession | None = None
        self._contexts: dict[object, ssl.SSLContext] = {}  # by host, what is shown to it, and what it must show
        self._closed = False
        self._schemes: dict[str, str] = {}  # that worked, by host

    @property
    def session(self) -> aiohttp.ClientSession:
        """The HTTP client; made on first use, in the loop that uses it. Unavailable when it is closed for good."""
        if self._closed:
            raise Unavailable("the engine is closing: registries are not asked any more")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S),
                connector=aiohttp.TCPConnector(limit_per_host=16),
                auto_decompress=False,
                read_bufsize=_READ_BUFFER,
                headers={"User-Agent": f"wharf/{__version__}"},
            )
        return self._session

    async def aclose(self) -> None:
        """Close all connections; idempotent. None is made afterwards."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def connect(self, host: Host, credentials: Credentials = ANONYMOUS, *, lasting: bool = False) -> Connection:
        """Return requests to ``host``; nothing is sent yet. ``lasting``: see :class:`Tokens`."""
        return Connection(self, host, credentials, lasting=lasting)

    def schemes(self, host: Host) -> tuple[str, ...]:
        """Return the schemes to try for ``host``: the one that worked, if any did."""
        known = self._schemes.get(host.name)
        return (known,) if known in host.schemes else host.schemes

    def remember(self, host: Host, scheme: str) -> None:
        """Take note that ``scheme`` works."""
        self._schemes[host.name] = scheme

    def context(self, host: Host) -> ssl.SSLContext:
        """Return the TLS settings for ``host``: its authorities and the client's own certificates for it."""
        # An insecure registry may name any host as its server of tokens.
        key = (host.name, host.verified, host.authorities, host.own)
        if key not in self._contexts:
            found = certificates_of(host.name, self.options.certificates)
            both = Certificates((*found.authorities, *host.authorities), (*found.own, *host.own))
            self._contexts[key] = _context(both, verified=host.verified)
        return self._contexts[key]


def _context(certificates: Certificates, *, verified: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    for authority in certificates.authorities:
        context.load_verify_locations(authority)
    for certificate, key in certificates.own:
        context.load_cert_chain(certificate, key)
    if not verified and not certificates.authorities:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(slots=True)
class _Attempt:
    """How one request goes."""

    made: int = 0
    authenticated: bool = False
    with_password: bool = False


class Connection:
    """Requests of one user to one host."""

    def __init__(self, transport: Transport, host: Host, credentials: Credentials, *, lasting: bool = False) -> None:
        self._transport = transport
        self.host = host
        self._credentials = credentials
        self._tokens = Tokens(credentials, transport.waiting.monotonic, lasting=lasting)
        self._basic = False

    @property
    def identity_token(self) -> str:
        """What stands for the user's password from now on; empty when the registry gave none."""
        return self._tokens.identity_token

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        *,
        what: str,
        scopes: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        expect: Collection[int] = (200,),
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request, again where that may help, and give an answer whose status is one of ``expect``.

        Args:
            method: HTTP's.
            path: below the host, or an address that the registry gave.
            what: is asked for: how an error begins.
            scopes: what a token must allow (``repository:library/busybox:pull``).
            headers: more of them.
            body: makes the body.
            expect: statuses that are no failure.

        Raises:
            WharfError: what the registry answered (see :mod:`wharf.images.registry.answers`), or that it did not.
        """
        attempt = _Attempt()
        while True:
            attempt.made += 1
            attempt.with_password = self._basic  # others may learn meanwhile that it is wanted
            delay: float | None = None
            error: WharfError
            try:
                response = await self._send(method, path, scopes, headers or {}, body)
            except (aiohttp.ClientError, OSError, TimeoutError) as problem:
                error = _unreachable(what, self.host, problem)
                if not isinstance(problem, aiohttp.ClientConnectorError) or attempt.made < _NEVER_CONNECTED:
                    delay = self._delay(attempt.made, None)
            else:
                async with response:
                    if response.status in expect:
                        yield response
                        return
                    delay, error = await self._failed(response, what, scopes, attempt)
            if delay is None:
                raise error
            await self._transport.waiting.sleep(delay)

    async def _failed(
        self, response: aiohttp.ClientResponse, what: str, scopes: Sequence[str], attempt: _Attempt
    ) -> tuple[float | None, WharfError]:
        """Return after how long to try again (None: never), and what went wrong."""
        said = await read_start(response, MAX_ERROR_BYTES)
        error = failure(response.status, said, what)
        if response.status == 401 and not attempt.authenticated:
            attempt.authenticated = True
            attempt.made -= 1
            challenges = parse_challenges(response.headers.getall("WWW-Authenticate", []))
            return (0.0 if await self._authenticate(challenges, scopes, attempt) else None), error
        if response.status not in AGAIN:
            return None, error
        wish = retry_after_s(response.headers.get("Retry-After"), now_s=self._transport.waiting.now())
        return self._delay(attempt.made, wish), error

    def _delay(self, attempt: int, wish: float | None) -> float | None:
        waiting = self._transport.waiting
        return waiting.patience.delay_s(attempt, chance=waiting.chance(), retry_after_s=wish)

    async def _authenticate(self, challenges: list[Challenge], scopes: Sequence[str], attempt: _Attempt) -> bool:
        """Get what a challenge asks for; return whether there is anything new to send."""
        for challenge in challenges:
            realm = challenge.parameters.get("realm", "")
            if challenge.scheme == "bearer" and urlsplit(realm).scheme in ("http", "https"):
                self._require_safe(realm)
                self._tokens.forget()
                token_host = replace(self.host, name=urlsplit(realm).netloc, own=())
                await self._tokens.fetch(
                    self._transport.session,
                    challenge,
                    scopes,
                    self._transport.context(token_host),
                    proxy_for(realm, self._transport.options),
                )
                return True
            if challenge.scheme == "basic" and self._credentials.username and not attempt.with_password:
                self._basic = True
                return True
        return False

    def _require_safe(self, realm: str) -> None:
        """Refuse to send a password in the clear because a registry says so."""
        plain = urlsplit(realm).scheme == "http"
        if plain and self._credentials and self._transport.schemes(self.host) == ("https",):
            raise Unauthorized(f"{self.host.name} wants credentials sent to {realm}, which is not encrypted: refused")

    async def _send(
        self, method: str, path: str, scopes: Sequence[str], headers: Mapping[str, str], body: Body | None
    ) -> aiohttp.ClientResponse:
        schemes = self._transport.schemes(self.host)
        first: Exception | None = None
        for scheme in schemes:
            url = path if path.startswith(("http://", "https://")) else self.host.url(scheme, path)
            try:
                response = await self._transport.session.request(
                    method,
                    url,
                    headers={**self._own_headers(url), **headers, **self._authorization(url, scopes)},
                    data=body() if body else None,
                    ssl=self._transport.context(self.host) if url.startswith("https:") else True,
                    allow_redirects=method in ("GET", "HEAD"),
                    proxy=proxy_for(url, self._transport.options),
                )
            except (aiohttp.ClientConnectorError, aiohttp.ServerDisconnectedError) as error:
                first = first or error
                if scheme == schemes[-1]:
                    raise first from None
                if isinstance(error, aiohttp.ClientConnectorCertificateError):
                    raise  # whose authority was named is not asked in the clear instead
                continue
            self._transport.remember(self.host, scheme)
            return response
        raise AssertionError("a host without a scheme")

    def _own_headers(self, url: str) -> dict[str, str]:
        return dict(self.host.headers) if urlsplit(url).netloc == self.host.name else {}

    def _authorization(self, url: str, scopes: Sequence[str]) -> dict[str, str]:
        parts = urlsplit(url)
        if parts.netloc != self.host.name or parts.scheme not in self._transport.schemes(self.host):
            return {}  # an address elsewhere that the registry gave has its own signature; none goes in the clear
        if self._credentials.registry_token:
            return {"Authorization": f"Bearer {self._credentials.registry_token}"}
        if self._basic:
            return {"Authorization": self._credentials.basic}
        token = self._tokens.known(scopes)
        return {"Authorization": f"Bearer {token}"} if token else {}


def _unreachable(what: str, host: Host, problem: BaseException) -> Unavailable:
    if isinstance(problem, aiohttp.ClientConnectorError):  # whose own words show the objects that it was made with
        problem = problem.os_error
    said = getattr(problem, "strerror", None) or str(problem)
    if isinstance(problem, ConnectionError) and problem.errno:  # asyncio puts an address of Python's in its place
        said = os.strerror(problem.errno)
    said = said or ("it did not answer in time" if isinstance(problem, TimeoutError) else repr(problem))
    return Unavailable(f"{what}: cannot reach {host.name}: {said}")


def proxy_for(url: str, options: RegistryOptions) -> str | None:
    """Return the proxy for an address: of the options, else of the environment (HTTP_PROXY, NO_PROXY ...)."""
    parts = urlsplit(url)
    named = urllib.request.getproxies_environment()
    own = {"http": options.http_proxy, "https": options.https_proxy, "no": options.no_proxy}
    proxies = {**named, **{kind: value for kind, value in own.items() if value}}
    near = tuple(
        each for each in map(str.strip, proxies.get("no", "").split(",")) if "/" in each
    )  # CIDR, as Go has it
    if is_insecure(parts.netloc, near) or urllib.request.proxy_bypass_environment(parts.netloc, proxies):  # type: ignore[attr-defined]  # documented by its source alone
        return None
    return proxies.get(parts.scheme) or None
