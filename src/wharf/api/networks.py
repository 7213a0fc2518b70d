"""Networks over HTTP (Engine API, "Network")."""

from __future__ import annotations

from aiohttp import web

from wharf.api.answers import document
from wharf.api.call import Call
from wharf.api.routes import Route


async def _list(call: Call) -> web.StreamResponse:
    return document(await call.backend.networks.list(call.query.filters()))


async def _inspect(call: Call) -> web.StreamResponse:
    return document(await call.backend.networks.inspect(call.params["id"]))


ROUTES = (
    Route("GET", "/networks", _list),
    Route("GET", "/networks/{id}", _inspect),
)
