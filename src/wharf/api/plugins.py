"""Plugins that an engine installs and runs, over HTTP (Engine API, "Plugin").

Plugins that run by themselves, found by their sockets, are no business of these endpoints (volumes use them:
:mod:`wharf.plugins.finding`).
"""

from __future__ import annotations

from aiohttp import web

from wharf.api.answers import document, empty, lines
from wharf.api.call import Call
from wharf.api.routes import Route
from wharf.errors import InvalidArgument
from wharf.lib.plugin_names import local_name
from wharf.spec.engine_api.plugin import PluginPrivilege


async def _list(call: Call) -> web.StreamResponse:
    return document(await call.backend.plugins.list(call.query.filters()))


async def _inspect(call: Call) -> web.StreamResponse:
    return document(await call.backend.plugins.inspect(call.params["name"]))


async def _privileges(call: Call) -> web.StreamResponse:
    return document(await call.backend.plugins.privileges(_remote(call), auth=_auth(call)))


async def _create(call: Call) -> web.StreamResponse:
    await call.backend.plugins.create(call.query.text("name") or "", call.chunks())
    return empty()


async def _pull(call: Call) -> web.StreamResponse:
    grants = await call.body(list[PluginPrivilege]) or []
    remote, name = _remote(call), call.query.text("name")
    progress = call.backend.plugins.pull(remote, name=name, grants=grants, auth=_auth(call))
    headers = {"Docker-Plugin-Name": local_name(remote, name)}  # clients go on with it
    return await lines(call, progress, headers=headers)


async def _upgrade(call: Call) -> web.StreamResponse:
    grants = await call.body(list[PluginPrivilege]) or []
    progress = call.backend.plugins.upgrade(call.params["name"], _remote(call), grants=grants, auth=_auth(call))
    return await lines(call, progress)


async def _push(call: Call) -> web.StreamResponse:
    return await lines(call, call.backend.plugins.push(call.params["name"], auth=_auth(call)))


async def _set(call: Call) -> web.StreamResponse:
    await call.backend.plugins.set(call.params["name"], await call.required_body(list[str]))
    return empty()


async def _enable(call: Call) -> web.StreamResponse:
    await call.backend.plugins.enable(call.params["name"], timeout_s=call.query.integer("timeout") or 0)
    return empty(200)


async def _disable(call: Call) -> web.StreamResponse:
    await call.backend.plugins.disable(call.params["name"], force=call.query.flag("force"))
    return empty(200)


async def _remove(call: Call) -> web.StreamResponse:
    await call.backend.plugins.remove(call.params["name"], force=call.query.flag("force"))
    return empty(200)


def _remote(call: Call) -> str:
    if (remote := call.query.text("remote")) is None:
        raise InvalidArgument("invalid reference format")
    return remote


def _auth(call: Call) -> str:
    """Return who asks a registry, as the client's header says it."""
    return call.request.headers.get("X-Registry-Auth", "")


ROUTES = (
    Route("GET", "/plugins", _list),
    Route("GET", "/plugins/privileges", _privileges),
    Route("POST", "/plugins/pull", _pull),
    Route("POST", "/plugins/create", _create),
    Route("GET", "/plugins/{name:.*}/json", _inspect),
    Route("DELETE", "/plugins/{name:.*}", _remove),
    Route("POST", "/plugins/{name:.*}/enable", _enable),
    Route("POST", "/plugins/{name:.*}/disable", _disable),
    Route("POST", "/plugins/{name:.*}/upgrade", _upgrade),
    Route("POST", "/plugins/{name:.*}/push", _push),
    Route("POST", "/plugins/{name:.*}/set", _set),
)
