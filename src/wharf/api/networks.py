"""Networks over HTTP (Engine API, "Network")."""

from __future__ import annotations

from aiohttp import web

from wharf.api.answers import document, empty
from wharf.api.call import Call
from wharf.api.routes import Route
from wharf.api.versions import network_create, network_inspect, network_summary
from wharf.errors import NotFound
from wharf.spec.engine_api.network import NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest


async def _list(call: Call) -> web.StreamResponse:
    found = await call.backend.networks.list(call.query.filters())
    return document([network_summary(network, call.version) for network in found])


async def _create(call: Call) -> web.StreamResponse:
    asked = network_create(await call.required_body(NetworkCreateRequest), call.version)
    return document(await call.backend.networks.create(asked), 201)


async def _inspect(call: Call) -> web.StreamResponse:
    """``verbose`` adds a swarm's services, of which there are none here; ``scope`` is where a network may be."""
    call.query.flag("verbose")  # nothing to add
    if (scope := call.query.text("scope")) not in (None, "local"):
        raise NotFound(f"network {call.params['id']} not found in scope {scope}")
    return document(network_inspect(await call.backend.networks.inspect(call.params["id"]), call.version))


async def _remove(call: Call) -> web.StreamResponse:
    await call.backend.networks.remove(call.params["id"])
    return empty()


async def _connect(call: Call) -> web.StreamResponse:
    await call.backend.networks.connect(call.params["id"], await call.required_body(NetworkConnectRequest))
    return empty(200)


async def _disconnect(call: Call) -> web.StreamResponse:
    await call.backend.networks.disconnect(call.params["id"], await call.required_body(NetworkDisconnectRequest))
    return empty(200)


async def _prune(call: Call) -> web.StreamResponse:
    return document(await call.backend.networks.prune(call.query.filters()))


ROUTES = (
    Route("GET", "/networks", _list),
    Route("GET", "/networks/", _list),
    Route("POST", "/networks/create", _create),
    Route("POST", "/networks/prune", _prune),
    Route("GET", "/networks/{id}", _inspect),
    Route("DELETE", "/networks/{id}", _remove),
    Route("POST", "/networks/{id}/connect", _connect),
    Route("POST", "/networks/{id}/disconnect", _disconnect),
)
