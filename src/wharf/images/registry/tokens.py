"""Bearer tokens: fetched where a registry's challenge says, kept while they last.

Specified by distribution's "Token Authentication Specification" and "OAuth2 Token Authentication".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import msgspec

from wharf.errors import Unauthorized, Unavailable
from wharf.images.registry.answers import details
from wharf.images.registry.credentials import Credentials
from wharf.images.registry.reading import read_whole
from wharf.lib.challenge import Challenge

_CLIENT: Final = "wharf"
_DEFAULT_LIFE_S: Final = 60.0  # "expires_in (Optional) ... If omitted, this defaults to 60 seconds"
_USED: Final = 0.9  # of its life: it must not expire on its way
_LONGEST_LIFE_S: Final = 24 * 3600.0
_MAX_BYTES: Final = 1024 * 1024
_REFUSED: Final = (400, 401, 403)


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    until_s: float


class Tokens:
    """The tokens of one user at one host, by what they allow.

    ``lasting``: ask for an identity token too, which stands for the password from then on (docker login).
    """

    def __init__(self, credentials: Credentials, clock: Callable[[], float], *, lasting: bool = False) -> None:
        self._credentials = credentials
        self._clock = clock
        self._lasting = lasting
        self.identity_token = credentials.identity_token
        self._tokens: dict[frozenset[str], _Token] = {}

    def known(self, scopes: Sequence[str]) -> str | None:
        """Return a token that allows ``scopes`` and lasts, or None."""
        wanted = set(scopes)
        for allowed, token in self._tokens.items():
            if wanted <= allowed and token.until_s > self._clock():
                return token.value
        return None

    def forget(self) -> None:
        """Forget all tokens: one was refused."""
        self._tokens.clear()

    async def fetch(
        self, session: aiohttp.ClientSession, challenge: Challenge, scopes: Sequence[str], ssl: Any, proxy: str | None
    ) -> str:
        """Fetch a token that allows what the challenge asks for and ``scopes``.

        Raises:
            Unauthorized: the credentials are wrong, or allow none of it.
            Unavailable: the server of tokens cannot be reached, or answers nonsense.
        """
        realm = challenge.parameters.get("realm", "")
        wanted = list(dict.fromkeys([*scopes, *challenge.scopes]))
        try:
            answer = await self._ask(session, realm, challenge, wanted, ssl=ssl, proxy=proxy)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"cannot get a token from {realm}: {error}") from error
        value = answer.get("token") or answer.get("access_token")
        if not isinstance(value, str):
            raise Unavailable(f"the answer of {realm} holds no token")
        if self._lasting and isinstance(lasts := answer.get("refresh_token"), str):
            self.identity_token = lasts
        life = answer.get("expires_in")
        life_s = float(min(life, _LONGEST_LIFE_S)) if isinstance(life, int | float) and life > 0 else _DEFAULT_LIFE_S
        self._tokens[frozenset(wanted)] = _Token(value, self._clock() + life_s * _USED)
        return value

    async def _ask(
        self,
        session: aiohttp.ClientSession,
        realm: str,
        challenge: Challenge,
        scopes: list[str],
        *,
        ssl: Any,
        proxy: str | None,
    ) -> dict[str, Any]:
        own = self._credentials
        service = challenge.parameters.get("service", "")
        if own.identity_token:
            form = {"grant_type": "refresh_token", "refresh_token": own.identity_token, "client_id": _CLIENT}
            form |= {"service": service, "scope": " ".join(scopes)}
            request = session.post(realm, data=form, ssl=ssl, proxy=proxy)
        else:
            query = [("service", service)] if service else []
            query += [("scope", scope) for scope in scopes]
            headers = {"Authorization": own.basic} if own.username else {}
            if own.username:
                query.append(("account", own.username))
            if self._lasting:
                query += [("offline_token", "true"), ("client_id", _CLIENT)]
            request = session.get(realm, params=query, headers=headers, ssl=ssl, proxy=proxy)
        async with request as response:
            body = await read_whole(response, _MAX_BYTES, realm)
            if response.status == 405 and own.username:
                return await self._by_password(session, realm, service, scopes, ssl=ssl, proxy=proxy)
            return _decoded(response.status, body, realm)

    async def _by_password(
        self,
        session: aiohttp.ClientSession,
        realm: str,
        service: str,
        scopes: list[str],
        *,
        ssl: Any,
        proxy: str | None,
    ) -> dict[str, Any]:
        """OAuth2's own way, for servers that have no other."""
        form = {"grant_type": "password", "username": self._credentials.username, "client_id": _CLIENT}
        form |= {"password": self._credentials.password, "service": service, "scope": " ".join(scopes)}
        if self._lasting:
            form["access_type"] = "offline"
        async with session.post(realm, data=form, ssl=ssl, proxy=proxy) as response:
            return _decoded(response.status, await read_whole(response, _MAX_BYTES, realm), realm)


def _decoded(status: int, body: bytes, realm: str) -> dict[str, Any]:
    if status in _REFUSED:
        raise Unauthorized(f"unauthorized: {details(body) or 'authentication required'}")
    if status != 200:
        raise Unavailable(f"cannot get a token from {realm}: status {status}: {details(body)}")
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unavailable(f"the answer of {realm} is not JSON") from error
    return document if isinstance(document, dict) else {}
