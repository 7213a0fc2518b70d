"""Endpoints of swarms (Engine API: Swarm, Node, Service, Task, Secret, Config), as a node in none has them.

Docker reads a request before it looks for the swarm, and so do we: one that cannot be is refused as such (400),
every other one with 503 and Docker's text. No swarm can be begun or joined here: ``init`` and ``join`` answer 503,
too, which the definition knows for them, in words of ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from aiohttp import web

from wharf.api.call import Call
from wharf.api.routes import Answer, Route
from wharf.errors import NOT_A_MANAGER, InvalidArgument, Unavailable

_NO_SWARM: Final = "This node is not part of a swarm"  # Docker's words
_NONE_HERE: Final = "swarms are not supported by this build of wharf: this node cannot begin or join one"
_MOST: Final = 1 << 64  # versions of a swarm's objects are below

_Check = Callable[[Call], Awaitable[None]]


async def _body(call: Call) -> None:
    if not await call.request.read():
        raise InvalidArgument("invalid JSON: got EOF while reading request body")
    await call.body(dict)


async def _filters(call: Call) -> None:
    call.query.filters()


async def _stream(call: Call) -> None:
    if not (call.query.flag("stdout") or call.query.flag("stderr")):
        raise InvalidArgument("Bad parameters: you must choose at least one stream")


def _version(message: str) -> _Check:
    """Return a check of the version of an object that is to be changed; ``message`` may show what was given."""

    async def check(call: Call) -> None:
        given = call.query.text("version") or ""
        if not (given.isascii() and given.isdigit() and int(given[:20]) < _MOST and len(given) <= len(str(_MOST))):
            raise InvalidArgument(message.format(given))

    return check


def _numbered(noun: str) -> _Check:
    return _version(f"invalid {noun} version '{{0}}': strconv.ParseUint: parsing \"{{0}}\": invalid syntax")


_ENDPOINTS: Final[tuple[tuple[str, tuple[_Check, ...], str], ...]] = (
    ("GET /swarm", (), NOT_A_MANAGER),
    ("POST /swarm/init", (_body,), _NONE_HERE),
    ("POST /swarm/join", (_body,), _NONE_HERE),
    ("POST /swarm/leave", (), _NO_SWARM),
    ("POST /swarm/update", (_body, _numbered("swarm")), NOT_A_MANAGER),
    ("GET /swarm/unlockkey", (), NOT_A_MANAGER),
    ("POST /swarm/unlock", (_body,), NOT_A_MANAGER),
    ("GET /nodes", (_filters,), NOT_A_MANAGER),
    ("GET /nodes/{id}", (), NOT_A_MANAGER),
    ("DELETE /nodes/{id}", (), NOT_A_MANAGER),
    ("POST /nodes/{id}/update", (_body, _numbered("node")), NOT_A_MANAGER),
    ("GET /services", (_filters,), NOT_A_MANAGER),
    ("POST /services/create", (_body,), NOT_A_MANAGER),
    ("GET /services/{id}", (), NOT_A_MANAGER),
    ("DELETE /services/{id}", (), NOT_A_MANAGER),
    ("POST /services/{id}/update", (_body, _numbered("service")), NOT_A_MANAGER),
    ("GET /services/{id}/logs", (_stream,), NOT_A_MANAGER),
    ("GET /tasks", (_filters,), NOT_A_MANAGER),
    ("GET /tasks/{id}", (), NOT_A_MANAGER),
    ("GET /tasks/{id}/logs", (_stream,), NOT_A_MANAGER),
    ("GET /secrets", (_filters,), NOT_A_MANAGER),
    ("POST /secrets/create", (_body,), NOT_A_MANAGER),
    ("GET /secrets/{id}", (), NOT_A_MANAGER),
    ("DELETE /secrets/{id}", (), NOT_A_MANAGER),
    ("POST /secrets/{id}/update", (_body, _version("invalid secret version")), NOT_A_MANAGER),
    ("GET /configs", (_filters,), NOT_A_MANAGER),
    ("POST /configs/create", (_body,), NOT_A_MANAGER),
    ("GET /configs/{id}", (), NOT_A_MANAGER),
    ("DELETE /configs/{id}", (), NOT_A_MANAGER),
    ("POST /configs/{id}/update", (_body, _version("invalid config version")), NOT_A_MANAGER),
    ("PUT /volumes/{name}", (), "volume update only valid for cluster volumes, but swarm is unavailable"),
)
"""Each endpoint, what of a request is read before the swarm is missed, and the words for that."""


def routes() -> Iterator[Route]:
    """Yield a route for each endpoint of a swarm."""
    for endpoint, checks, message in _ENDPOINTS:
        method, path = endpoint.split(" ")
        yield Route(method, path, _missed(checks, message))


def _missed(checks: tuple[_Check, ...], message: str) -> Answer:
    async def answer(call: Call) -> web.StreamResponse:
        for check in checks:
            await check(call)
        raise Unavailable(message)

    return answer
