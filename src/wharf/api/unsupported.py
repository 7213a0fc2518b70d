"""Endpoints of the Engine API that this build refuses by name, so that nobody takes them for a misspelling."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from wharf.api.call import Call
from wharf.api.routes import Answer, Route
from wharf.errors import NOT_A_MANAGER, NotImplementedHere, Unavailable

_SWARM = (
    "GET /swarm",
    "POST /swarm/update",
    "GET /swarm/unlockkey",
    "POST /swarm/unlock",
    "GET /nodes",
    "GET /nodes/{id}",
    "DELETE /nodes/{id}",
    "POST /nodes/{id}/update",
    "GET /services",
    "POST /services/create",
    "GET /services/{id}",
    "DELETE /services/{id}",
    "POST /services/{id}/update",
    "GET /services/{id}/logs",
    "GET /tasks",
    "GET /tasks/{id}",
    "GET /tasks/{id}/logs",
    "GET /secrets",
    "POST /secrets/create",
    "GET /secrets/{id}",
    "DELETE /secrets/{id}",
    "POST /secrets/{id}/update",
    "GET /configs",
    "POST /configs/create",
    "GET /configs/{id}",
    "DELETE /configs/{id}",
    "POST /configs/{id}/update",
)

_MISSING = {
    "cancelling a build by its id": ("POST /build/cancel",),
    "joining a swarm": ("POST /swarm/init", "POST /swarm/join"),
}


def routes() -> Iterator[Route]:
    """Yield a route for each endpoint that is refused."""
    for what, endpoints in _MISSING.items():
        for endpoint in endpoints:
            yield _route(endpoint, _refuse(what))
    for endpoint in _SWARM:
        yield _route(endpoint, _refuse_swarm)
    yield _route("POST /swarm/leave", _refuse_to_leave)
    yield _route("PUT /volumes/{name}", _refuse_to_update)


def _route(endpoint: str, answer: Answer) -> Route:
    method, path = endpoint.split(" ")
    return Route(method, path, answer)


def _refuse(what: str) -> Answer:
    async def answer(call: Call) -> web.StreamResponse:  # noqa: ARG001  # every request is refused alike
        raise NotImplementedHere(f"{what} is not supported by this build of wharf")

    return answer


async def _refuse_to_leave(call: Call) -> web.StreamResponse:  # noqa: ARG001  # likewise
    raise Unavailable("This node is not part of a swarm")


async def _refuse_to_update(call: Call) -> web.StreamResponse:  # noqa: ARG001  # likewise
    raise Unavailable("volume update only valid for cluster volumes, but swarm is unavailable")


async def _refuse_swarm(call: Call) -> web.StreamResponse:  # noqa: ARG001  # every request is refused alike
    raise Unavailable(NOT_A_MANAGER)
