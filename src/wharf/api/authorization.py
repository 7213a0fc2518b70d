"""Requests and their answers are put to authorization plugins, where the engine has any."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from wharf.api.backend_plugins import Authorization
from wharf.api.call import says_json
from wharf.api.connection import Connection
from wharf.errors import Forbidden

_MOST_BYTES: Final = 1024 * 1024
"""Of a body that is shown to a plugin; Docker's limit. A longer document is refused: nobody could judge it."""
_JSON: Final = "application/json"


async def judged(
    request: web.BaseRequest, authorization: Authorization, answer: Callable[[], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Return what ``answer`` returns, if the plugins allow the request, and its answer where that is not sent yet.

    Streams are sent as they come: of those, and of connections that are taken over, the request alone is judged, as
    Docker's documentation of these plugins has it.

    Raises:
        Forbidden: a plugin denies it, or it is too long to be judged.
        WharfError: a plugin does not answer.
    """
    asked = await _asked(request)
    await authorization.request(asked)
    response = await answer()
    if isinstance(response, web.Response) and not response.prepared:
        body = response.body if isinstance(response.body, bytes) else b""
        told = {
            **asked,
            "ResponseBody": _text(body[:_MOST_BYTES]) if response.content_type == _JSON else "",
            "ResponseHeaders": _first_of_each(response.headers),
            "ResponseStatusCode": response.status,
        }
        await authorization.response(told)
    return response


async def _asked(request: web.BaseRequest) -> dict[str, object]:
    """Return the fields of AuthZPlugin.AuthZReq; a body that is a document is read for it."""
    body = b""
    if request.can_read_body and says_json(request):
        body = await request.read()
        if len(body) > _MOST_BYTES:
            raise Forbidden(f"the request has more than the {_MOST_BYTES} bytes that can be shown to a plugin")
    headers = {name: value for name, value in _first_of_each(request.headers).items() if not _secret(name)}
    user = request.protocol.user if isinstance(request.protocol, Connection) else None
    return {
        "User": user or "",
        "UserAuthNMethod": "" if user is None else "TLS",
        "RequestMethod": request.method,
        "RequestURI": request.raw_path,
        "RequestBody": _text(body) if not request.path.endswith("/auth") else "",
        "RequestHeaders": headers,
    }


def _secret(name: str) -> bool:
    return name.lower() in ("authorization", "x-registry-auth", "x-registry-config")


def _first_of_each(headers: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        found.setdefault(name, value)
    return found


def _text(body: bytes) -> str:
    """Return bytes as Go's encoding/json spells them."""
    return base64.b64encode(body).decode()
