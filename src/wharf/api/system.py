"""The engine itself over HTTP (Engine API, "System")."""

from __future__ import annotations

from aiohttp import web

from wharf.api import versions
from wharf.api.answers import HEADERS, document, lines
from wharf.api.call import Call
from wharf.api.routes import Route

_PING_HEADERS = {
    **HEADERS,
    "Builder-Version": "1",  # BuildKit is not here yet: clients need not look for it
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "Pragma": "no-cache",
    "Swarm": "inactive",
}


async def _ping(call: Call) -> web.StreamResponse:
    text = "" if call.request.method == "HEAD" else "OK"
    return web.Response(text=text, content_type="text/plain", charset="utf-8", headers=_PING_HEADERS)


async def _version(call: Call) -> web.StreamResponse:
    return document(await call.backend.system.version())


async def _info(call: Call) -> web.StreamResponse:
    return document(versions.info(await call.backend.system.info(), call.version))


async def _events(call: Call) -> web.StreamResponse:
    query = call.query
    events = call.backend.system.events(since=query.text("since"), until=query.text("until"), filters=query.filters())
    return await lines(call, events, at_once=True, shape=versions.event)


async def _disk_usage(call: Call) -> web.StreamResponse:
    usage = await call.backend.system.disk_usage()
    return document(versions.disk_usage(usage, call.version, set(call.query.texts("type"))))


ROUTES = (
    Route("GET", "/_ping", _ping),
    Route("HEAD", "/_ping", _ping),
    Route("GET", "/version", _version),
    Route("GET", "/info", _info),
    Route("GET", "/events", _events),
    Route("GET", "/system/df", _disk_usage),
)
