"""BuildKit's connections (Engine API, "Session"): HTTP ends, and HTTP/2 begins on the same bytes."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from wharf.api.answers import Over, hand_over, switch_protocols, upgrading
from wharf.api.call import Call
from wharf.api.routes import Route
from wharf.api.takeover import ClientLink
from wharf.errors import InvalidArgument

_PROTOCOL = "h2c"
_FOLDERS = "wharf-folders"  # ours: see :mod:`wharf.build.session.lent`
_FIELD = "X-Docker-Expose-Session-"


async def _grpc(call: Call) -> web.StreamResponse:
    client = await switch_protocols(call, _PROTOCOL)
    with call.until_stopped():
        await call.backend.builds.serve(ClientLink(client))
    return Over()


async def _session(call: Call) -> web.StreamResponse:
    headers = call.request.headers
    upgrading(call, _PROTOCOL)  # what is missing is told in Docker's order
    session_id = headers.get(f"{_FIELD}Uuid", "")
    if not session_id:
        raise InvalidArgument("a session without an id")
    client = await switch_protocols(call, _PROTOCOL)
    with call.until_stopped():
        await call.backend.builds.hold_session(
            ClientLink(client),
            session_id,
            shared_key=headers.get(f"{_FIELD}Sharedkey", ""),
            methods=headers.getall(f"{_FIELD}Grpc-Method", []),
        )
    return Over()


async def _folders(call: Call) -> web.StreamResponse:
    await call.backend.builds.lend_folders(call.params["id"], partial(hand_over, call, _FOLDERS))
    return Over()


ROUTES = (
    Route("POST", "/grpc", _grpc),
    Route("POST", "/session", _session),
    Route("POST", "/wharf/sessions/{id}/folders", _folders),
)
