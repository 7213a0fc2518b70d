"""Volumes over HTTP (Engine API, "Volume")."""

from __future__ import annotations

from aiohttp import web

from wharf.api.answers import document, empty
from wharf.api.call import Call
from wharf.api.routes import Route
from wharf.spec.engine_api.volume import VolumeCreateRequest


async def _list(call: Call) -> web.StreamResponse:
    found = await call.backend.volumes.list(call.query.filters())
    return document({"Volumes": found.get("Volumes") or [], "Warnings": found.get("Warnings") or None})


async def _create(call: Call) -> web.StreamResponse:
    doc = await call.body(VolumeCreateRequest) or VolumeCreateRequest()
    return document(await call.backend.volumes.create(doc), 201)


async def _inspect(call: Call) -> web.StreamResponse:
    return document(await call.backend.volumes.inspect(call.params["name"]))


async def _remove(call: Call) -> web.StreamResponse:
    await call.backend.volumes.remove(call.params["name"], force=call.query.flag("force"))
    return empty()


async def _prune(call: Call) -> web.StreamResponse:
    filters = call.query.filters()
    if call.version < (1, 42):  # which knew of no difference between volumes with a name and those without
        filters = {**filters, "all": ["true"]}
    return document(await call.backend.volumes.prune(filters))


ROUTES = (
    Route("GET", "/volumes", _list),
    Route("POST", "/volumes/create", _create),
    Route("POST", "/volumes/prune", _prune),
    Route("GET", "/volumes/{name}", _inspect),
    Route("DELETE", "/volumes/{name}", _remove),
)
