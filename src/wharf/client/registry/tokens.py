"""Who asks a registry: Basic, or a bearer token from where its challenge says (distribution's specification)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

from wharf.client.documents import as_document, text
from wharf.errors import Unauthorized, Unavailable
from wharf.lib.challenge import Challenge
from wharf.lib.light_json import loads

Fetch = Callable[[str, str, Mapping[str, str], bytes], tuple[int, bytes]]
"""(method, URL, headers, body) → (status, body)."""


class Tokens:
    """What one user is allowed at one registry."""

    def __init__(self, stored: tuple[str, str], fetch: Fetch) -> None:
        """Prepare.

        Args:
            stored: Name and password; an identity token has no name; both empty for nobody.
            fetch: How a server of tokens is asked.
        """
        self._name, self._secret = stored
        self._fetch = fetch
        self._scopes: set[str] = set()
        self.header = ""
        """``Authorization`` for the next request; empty while nothing was asked for."""

    def answer(self, challenges: list[Challenge], scopes: list[str], *, secure: bool) -> None:
        """Meet a challenge.

        Args:
            challenges: Of the registry's refusal, in its order.
            scopes: What is going to be done, as ``repository:NAME:pull,push``.
            secure: Whether the registry is asked by TLS: then what is secret goes nowhere else without.

        Raises:
            Unauthorized: nothing is stored for the registry, or it is refused.
            Unavailable: the server of tokens does not answer as one.
        """
        by_scheme = {challenge.scheme: challenge for challenge in reversed(challenges)}
        if "bearer" in by_scheme:
            self._scopes |= {*scopes, *by_scheme["bearer"].scopes}
            self.header = f"Bearer {self._token(by_scheme['bearer'], secure=secure)}"
        elif "basic" in by_scheme and self._name:
            self.header = self._basic()
        else:
            raise Unauthorized("unauthorized: authentication required")

    def _basic(self) -> str:
        return "Basic " + b64encode(f"{self._name}:{self._secret}".encode()).decode()

    def _token(self, challenge: Challenge, *, secure: bool) -> str:
        realm = challenge.parameters.get("realm", "")
        scheme = urlsplit(realm).scheme
        if scheme != "https" and (secure or scheme != "http"):
            raise Unavailable(f"the registry asks for a token of {realm!r}, which is no https address")
        service = challenge.parameters.get("service", "")
        fields = [("service", service), *(("scope", scope) for scope in sorted(self._scopes))]
        if self._secret and not self._name:
            form = {"grant_type": "refresh_token", "refresh_token": self._secret, "client_id": "wharf"}
            form |= {"service": service, "scope": " ".join(sorted(self._scopes))}
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            status, body = self._fetch("POST", realm, headers, urlencode(form).encode())
        else:
            headers = {"Authorization": self._basic()} if self._name else {}
            query = urlencode([(name, value) for name, value in fields if value])
            status, body = self._fetch("GET", f"{realm}{'&' if '?' in realm else '?'}{query}", headers, b"")
        if status in {400, 401, 403}:
            raise Unauthorized("unauthorized: authentication required")
        try:
            answer = as_document(loads(body.decode("utf-8", "replace"))) if status == 200 else {}
        except ValueError:
            answer = {}
        found = text(answer, "token") or text(answer, "access_token")
        if not found or not found.isascii() or not found.isprintable():
            raise Unavailable(f"cannot get a token from {realm}: status {status}")
        return found
