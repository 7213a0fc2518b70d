"""Images over HTTP (Engine API, "Image"), and two extensions: ``POST /images/bootstrap`` and ``…/squash``.

``POST /images/{name}/squash`` makes an image whose layers are one, but for those of ``base`` when that is given;
``repo``, ``tag`` and ``comment`` are as ``POST /commit`` has them, and so is the answer.

The other makes a base image without a registry: ``name`` says which (``debian:bookworm``, ``busybox``),
``include`` (repeatable, or comma-separated) which packages besides, ``tag`` what to call it. It answers with lines
of JSON as ``POST /images/create`` does.
"""

from __future__ import annotations

import msgspec
from aiohttp import web

from wharf.api import versions
from wharf.api.answers import document, empty, lines, raw
from wharf.api.call import Call
from wharf.api.routes import Route
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.system import AuthConfig
from wharf.spec.oci_image import Platform

_TAR = "application/x-tar"
_MANIFESTS_LISTED, _MANIFESTS_INSPECTED = (1, 47), (1, 48)  # versions of the API
_IDENTITY_LISTED = versions.Version((1, 54))
_ATTESTATIONS = versions.Version((1, 55))


async def _list(call: Call) -> web.StreamResponse:
    query = call.query
    found = await call.backend.images.list(
        all=query.flag("all"),
        filters=query.filters(),
        shared_size=query.flag("shared-size"),
        digests=query.flag("digests"),
        manifests=query.flag("manifests") and call.version >= _MANIFESTS_LISTED,
        identity=query.flag("identity") and call.version >= _IDENTITY_LISTED,
    )
    return document([versions.image_summary(item, call.version) for item in found])


async def _inspect(call: Call) -> web.StreamResponse:
    platform, manifests = _platform(call), call.query.flag("manifests") and call.version >= _MANIFESTS_INSPECTED
    if platform and manifests:
        raise InvalidArgument("conflicting options: manifests and platform options cannot both be set")
    found = await call.backend.images.inspect(call.params["name"], platform, manifests=manifests)
    return document(versions.image_inspect(found, call.version))


async def _attestations(call: Call) -> web.StreamResponse:
    types, statement = call.query.texts("type"), call.query.flag("statement")
    found = call.backend.images.attestations(call.params["name"], _platform(call), types=types, statement=statement)
    return document(await found)


async def _history(call: Call) -> web.StreamResponse:
    return document(await call.backend.images.history(call.params["name"], _platform(call)))


async def _tag(call: Call) -> web.StreamResponse:
    await call.backend.images.tag(
        call.params["name"], repository=call.query.text("repo") or "", tag=call.query.text("tag")
    )
    return empty(201)


async def _remove(call: Call) -> web.StreamResponse:
    query = call.query
    deleted = await call.backend.images.remove(
        call.params["name"],
        force=query.flag("force"),
        noprune=query.flag("noprune"),
        platforms=[platform_text(given) for given in query.texts("platforms")],
    )
    return document(deleted)


async def _prune(call: Call) -> web.StreamResponse:
    return document(await call.backend.images.prune(call.query.filters()))


async def _load(call: Call) -> web.StreamResponse:
    quiet, platforms = call.query.flag("quiet", default=True), _platforms(call)
    # Of Docker too: what is wrong with an archive is a line of an answer of status 200.
    progress = call.backend.images.load(call.chunks(), quiet=quiet, platforms=platforms)
    return await lines(call, progress, fails_in_line=True)


async def _save_one(call: Call) -> web.StreamResponse:
    return await raw(call, call.backend.images.save([call.params["name"]], _platforms(call)), _TAR, at_once=False)


async def _save(call: Call) -> web.StreamResponse:
    names = call.query.texts("names")
    if not names:
        raise InvalidArgument("no image names given: name at least one by the query parameter names")
    return await raw(call, call.backend.images.save(names, _platforms(call)), _TAR, at_once=False)


async def _create(call: Call) -> web.StreamResponse:
    query = call.query
    if (name := query.text("fromImage")) is not None:
        tag, platform = query.text("tag"), query.text("platform")
        return await lines(call, call.backend.images.pull(name, tag=tag, platform=platform, auth=_auth(call)))
    source = query.text("fromSrc")
    if source is None:
        raise InvalidArgument("either fromImage or fromSrc is needed")
    progress = call.backend.images.import_(
        call.chunks(),
        repository=query.text("repo"),
        tag=query.text("tag"),
        message=query.text("message"),
        changes=query.texts("changes"),
        platform=query.text("platform"),
        address=None if source == "-" else source,
    )
    return await lines(call, progress)


async def _push(call: Call) -> web.StreamResponse:
    name, tag = call.params["name"], call.query.text("tag")
    return await lines(call, call.backend.images.push(name, tag=tag, platform=_platform(call), auth=_auth(call)))


async def _search(call: Call) -> web.StreamResponse:
    query = call.query
    found = await call.backend.images.search(
        query.required("term"), limit=query.integer("limit"), filters=query.filters(), auth=_auth(call)
    )
    return document(found)


async def _distribution(call: Call) -> web.StreamResponse:
    return document(await call.backend.images.distribution(call.params["name"], auth=_auth(call)))


async def _login(call: Call) -> web.StreamResponse:
    return document(await call.backend.images.authenticate(await call.required_body(AuthConfig)))


def _platform(call: Call) -> str | None:
    """Return which platform's image is meant: the parameter is an OCI platform as JSON, once."""
    given = call.query.texts("platform")
    if len(given) > 1:
        raise InvalidArgument("conflicting options: only one platform can be asked for")
    return platform_text(given[0]) if given else None


def _platforms(call: Call) -> list[str]:
    """Return for which platforms images are meant: the parameter may come several times."""
    return [platform_text(given) for given in call.query.texts("platform")]


def platform_text(given: str) -> str:
    """Return an OCI platform, JSON, as ``os/architecture[/variant]``. Pure.

    Raises:
        InvalidArgument: it is none.
    """
    try:
        platform = msgspec.json.decode(given, type=Platform)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"invalid platform {given!r}: it must be an OCI platform, as JSON") from error
    parts = [platform.get("os") or "linux", platform.get("architecture") or "", platform.get("variant") or ""]
    return "/".join(part for part in parts if part)


def _auth(call: Call) -> str:
    """Return who asks a registry, as the client's header says it."""
    return call.request.headers.get("X-Registry-Auth", "")


async def _squash(call: Call) -> web.StreamResponse:
    query = call.query
    image_id = await call.backend.images.squash(
        call.params["name"],
        base=query.text("base"),
        repository=query.text("repo"),
        tag=query.text("tag"),
        comment=query.text("comment") or "",
    )
    return document({"Id": image_id}, 201)


async def _bootstrap(call: Call) -> web.StreamResponse:
    query = call.query
    include = [package for value in query.texts("include") for package in value.split(",") if package]
    progress = call.backend.images.bootstrap(query.required("name"), include=include, reference=query.text("tag"))
    return await lines(call, progress)


ROUTES = (
    Route("POST", "/auth", _login),
    Route("GET", "/images/json", _list),
    Route("GET", "/images/get", _save),
    Route("POST", "/images/create", _create),
    Route("POST", "/images/load", _load),
    Route("POST", "/images/prune", _prune),
    Route("POST", "/images/bootstrap", _bootstrap),
    Route("GET", "/images/search", _search),
    Route("GET", "/distribution/{name:.*}/json", _distribution),
    Route("POST", "/images/{name:.*}/push", _push),
    Route("POST", "/images/{name:.*}/squash", _squash),
    Route("GET", "/images/{name:.*}/json", _inspect),
    Route("GET", "/images/{name:.*}/history", _history),
    Route("GET", "/images/{name:.*}/attestations", _attestations, since=_ATTESTATIONS),
    Route("GET", "/images/{name:.*}/get", _save_one),
    Route("POST", "/images/{name:.*}/tag", _tag),
    Route("DELETE", "/images/{name:.*}", _remove),
)
