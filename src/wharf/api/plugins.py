"""Plugins that an engine manages itself, over HTTP (Engine API, "Plugin"): this one has none, and says so.

Plugins that run by themselves, found by their sockets, are no business of these endpoints (volumes use them:
:mod:`wharf.volumes.plugins`).
"""

from __future__ import annotations

from typing import NoReturn

from aiohttp import web

from wharf.api.answers import document
from wharf.api.call import Call
from wharf.api.routes import Route
from wharf.errors import NotFound
from wharf.lib.filters import require_known

_FILTERS = ("capability", "enabled")


async def _list(call: Call) -> web.StreamResponse:
    require_known(call.query.filters(), _FILTERS)
    return document([])


async def _missing(call: Call) -> NoReturn:
    raise NotFound(f'plugin "{call.params["name"]}" not found')


ROUTES = (
    Route("GET", "/plugins", _list),
    Route("GET", "/plugins/{name:.*}/json", _missing),
    Route("DELETE", "/plugins/{name:.*}", _missing),
    Route("POST", "/plugins/{name:.*}/enable", _missing),
    Route("POST", "/plugins/{name:.*}/disable", _missing),
    Route("POST", "/plugins/{name:.*}/upgrade", _missing),
    Route("POST", "/plugins/{name:.*}/push", _missing),
    Route("POST", "/plugins/{name:.*}/set", _missing),
)
