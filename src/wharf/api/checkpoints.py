"""Checkpoints of containers over HTTP (docker checkpoint): experimental in Docker, offered here without asking."""

from __future__ import annotations

from aiohttp import web

from wharf.api.answers import document, empty
from wharf.api.call import Call
from wharf.api.routes import Route
from wharf.spec.engine_api.checkpoint import CheckpointCreate


async def _create(call: Call) -> web.StreamResponse:
    await call.backend.containers.checkpoint(call.params["id"], await call.required_body(CheckpointCreate))
    return empty(201)


async def _list(call: Call) -> web.StreamResponse:
    found = await call.backend.containers.checkpoints(call.params["id"], folder=call.query.text("dir") or "")
    return document(found)


async def _remove(call: Call) -> web.StreamResponse:
    params, folder = call.params, call.query.text("dir") or ""
    await call.backend.containers.remove_checkpoint(params["id"], params["checkpoint"], folder=folder)
    return empty()


ROUTES = (
    Route("POST", "/containers/{id}/checkpoints", _create),
    Route("GET", "/containers/{id}/checkpoints", _list),
    Route("DELETE", "/containers/{id}/checkpoints/{checkpoint}", _remove),
)
