"""The engine itself over HTTP (Engine API, "System")."""

from __future__ import annotations

from aiohttp import web

from wharf.api import versions
from wharf.api.answers import HEADERS, JSON_LINES, Framing, document, lines
from wharf.api.call import Call
from wharf.api.routes import Route
from wharf.api.versions import NEWEST, Version
from wharf.spec.engine_api.system import EventMessage

_PING_HEADERS = {
    **HEADERS,
    "Builder-Version": "2",
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "Pragma": "no-cache",
    "Swarm": "inactive",
}


async def _ping(call: Call) -> web.StreamResponse:
    text = "" if call.request.method == "HEAD" else "OK"
    headers = {**_PING_HEADERS, "Docker-Experimental": str(call.backend.system.experimental).lower()}
    return web.Response(text=text, content_type="text/plain", charset="utf-8", headers=headers)


async def _version(call: Call) -> web.StreamResponse:
    return document(await call.backend.system.version())


async def _info(call: Call) -> web.StreamResponse:
    return document(versions.info(await call.backend.system.info(), call.version))


_FRAMINGS = {
    # media type -> since which version it is offered, and its frames
    "application/x-ndjson": ((1, 52), Framing("application/x-ndjson")),
    "application/json-seq": ((1, 52), Framing("application/json-seq", b"\x1e")),  # RFC 7464
    "application/jsonl": ((1, 53), Framing("application/jsonl")),
}


def framing(accept: str, version: Version) -> Framing:
    """Return the framing of events that a client prefers of those its version has (RFC 9110, 12.5.1). Pure."""
    wanted: list[tuple[float, Framing]] = []
    for part in accept.split(","):
        kind, *parameters = (word.strip() for word in part.split(";"))
        since, found = _FRAMINGS.get(kind.lower(), (NEWEST, None))
        if found is not None and version >= since:
            wanted.append((_quality(parameters), found))
    best = max(wanted, key=lambda each: each[0], default=(0.0, JSON_LINES))
    return best[1] if best[0] > 0 else JSON_LINES


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


async def _events(call: Call) -> web.StreamResponse:
    query = call.query
    events = call.backend.system.events(since=query.text("since"), until=query.text("until"), filters=query.filters())

    def shape(event: EventMessage) -> object:
        return versions.event(event, call.version)

    return await lines(
        call, events, at_once=True, shape=shape, framing=framing(call.request.headers.get("Accept", ""), call.version)
    )


async def _disk_usage(call: Call) -> web.StreamResponse:
    kinds = versions.usage_kinds(call.query.texts("type"), call.version)
    usage = await call.backend.system.disk_usage(kinds)
    verbose = call.query.flag("verbose") and call.version >= (1, 52)
    return document(versions.disk_usage(usage, call.version, verbose=verbose))


async def _check(call: Call) -> web.StreamResponse:
    query = call.query
    return await lines(call, call.backend.system.check(quick=query.flag("quick"), repair=query.flag("repair")))


ROUTES = (
    Route("GET", "/_ping", _ping),
    Route("HEAD", "/_ping", _ping),
    Route("GET", "/version", _version),
    Route("GET", "/info", _info),
    Route("GET", "/events", _events),
    Route("GET", "/system/df", _disk_usage),
    Route("POST", "/wharf/system/check", _check),  # ours
)
