"""Building images over HTTP (Engine API, "Image": ``POST /build``, ``POST /build/prune``).

Two parameters have nothing to decide here: ``rm`` and ``forcerm``, for no container outlives its step.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from aiohttp import web

from wharf.api.answers import document, lines
from wharf.api.call import Call
from wharf.api.query import Query
from wharf.api.routes import Route
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.spec.engine_api.build import BuildRequest, Ulimit

T = TypeVar("T")
_CLASSIC, _BUILDKIT = "1", "2"
_REFUSED = {
    "outputs": "outputs are not supported by POST /build: use docker buildx",
    "isolation": "isolation is for other operating systems than linux",
}


async def _build(call: Call) -> web.StreamResponse:
    query = call.query
    for name, said in _REFUSED.items():
        if query.text(name) not in (None, "0", "false", "default"):
            raise NotImplementedHere(said)
    if options := [name for name in query.texts("securityopt") if name]:
        raise NotImplementedHere(
            f"security options of a build are not supported by this build of wharf: {options[0]}"
        )
    if query.flag("squash") and not call.backend.system.experimental:
        raise InvalidArgument("squash is only supported with experimental mode")  # Docker's words
    request = _request(query)
    request["registry_config"] = call.request.headers.get("X-Registry-Config", "")
    if (version := query.text("version") or _CLASSIC) not in (_CLASSIC, _BUILDKIT):
        raise InvalidArgument(f'invalid version "{version}"')
    if version == _BUILDKIT:
        if query.flag("squash"):
            raise NotImplementedHere("squash is not supported with BuildKit: use stages, or wharf image squash")
        if session := query.text("session"):  # without one nothing is asked of the client: all is in the body
            ref = query.text("buildid") or ""
            chunks = None if query.text("remote") else call.chunks()
            return await lines(call, call.backend.builds.build_over_session(request, session, ref, chunks))
    return await lines(call, call.backend.builds.build(call.chunks(), request))


def _request(query: Query) -> BuildRequest:
    request: BuildRequest = {
        "t": query.texts("t"),
        "q": query.flag("q"),
        "nocache": query.flag("nocache"),
        "pull": query.flag("pull"),
        "squash": query.flag("squash"),
        "extrahosts": [host for text in query.texts("extrahosts") for host in _hosts(text)],
        "buildargs": _document(query, "buildargs", dict[str, str | None]) or {},
        "labels": _document(query, "labels", dict[str, str]) or {},
        "ulimits": _document(query, "ulimits", list[Ulimit]) or [],
        "cachefrom": _document(query, "cachefrom", list[str]) or [],
    }
    if remote := query.text("remote"):
        request["remote"] = "" if remote == "client-session" else remote
    return {**request, **_texts(query), **_numbers(query)}


def _texts(query: Query) -> BuildRequest:
    return {
        "dockerfile": query.text("dockerfile") or "",
        "cgroupparent": query.text("cgroupparent") or "",
        "cpusetcpus": query.text("cpusetcpus") or "",
        "cpusetmems": query.text("cpusetmems") or "",
        "networkmode": query.text("networkmode") or "",
        "platform": query.text("platform") or "",
        "target": query.text("target") or "",
        "call": query.text("call") or "",
    }


def _numbers(query: Query) -> BuildRequest:
    return {
        "shmsize": query.integer("shmsize") or 0,
        "memory": query.integer("memory") or 0,
        "memswap": query.integer("memswap") or 0,
        "cpushares": query.integer("cpushares") or 0,
        "cpuperiod": query.integer("cpuperiod") or 0,
        "cpuquota": query.integer("cpuquota") or 0,
    }


def _hosts(text: str) -> list[str]:
    """Return hosts, which docker's command line sends one by one and docker-py as JSON."""
    if not text.startswith(("{", "[")):
        return [text]
    try:
        decoded = msgspec.json.decode(text, type=dict[str, str] | list[str])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidArgument(f"invalid extrahosts: {error}") from error
    return decoded if isinstance(decoded, list) else [f"{name}:{address}" for name, address in decoded.items()]


def _document(query: Query, name: str, shape: type[T]) -> T | None:
    raw = query.text(name)
    if raw is None:
        return None
    try:
        decoded = msgspec.json.decode(raw)
        return None if decoded is None else msgspec.convert(decoded, shape)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidArgument(f"error reading {name}: {error}") from error


async def _prune(call: Call) -> web.StreamResponse:
    query = call.query
    kept = query.integer("reserved-space") or query.integer("keep-storage") or 0
    found = await call.backend.builds.prune(
        query.filters(),
        everything=query.flag("all"),
        kept_bytes=kept,
        most_bytes=query.integer("max-used-space") or 0,
        free_bytes=query.integer("min-free-space") or 0,
    )
    return document(found)


ROUTES = (Route("POST", "/build", _build), Route("POST", "/build/prune", _prune))
