"""Endpoints of the Engine API that this build refuses by name, so that nobody takes them for a misspelling."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from wharf.api.call import Call
from wharf.api.routes import Answer, Route
from wharf.errors import NotImplementedHere

_MISSING = {"POST /build/cancel": "cancelling a build by its id"}


def routes() -> Iterator[Route]:
    """Yield a route for each endpoint that is refused."""
    for endpoint, what in _MISSING.items():
        method, path = endpoint.split(" ")
        yield Route(method, path, _refuse(what))


def _refuse(what: str) -> Answer:
    async def answer(call: Call) -> web.StreamResponse:  # noqa: ARG001  # every request is refused alike
        raise NotImplementedHere(f"{what} is not supported by this build of wharf")

    return answer
