"""Containers over HTTP (Engine API, "Container")."""

from __future__ import annotations

from base64 import b64encode

import msgspec
from aiohttp import web

from wharf.api import versions, websocket
from wharf.api.answers import HEADERS, document, empty, later, lines, raw, take_over
from wharf.api.call import Call
from wharf.api.routes import Route
from wharf.api.streams import AttachedStream
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import (
    ContainerConfig,
    ContainerPathStat,
    ContainerUpdateRequest,
    CreateContainer,
)

_CONDITIONS = ("not-running", "next-exit", "removed")


async def _create(call: Call) -> web.StreamResponse:
    request = versions.create_request(await call.required_body(CreateContainer), call.version)
    query = call.query
    created = await call.backend.containers.create(request, name=query.text("name"), platform=query.text("platform"))
    warnings = [*versions.create_warnings(request, call.version), *(created.get("Warnings") or [])]
    return document({**created, "Warnings": warnings}, 201)


async def _list(call: Call) -> web.StreamResponse:
    query = call.query
    limit = query.integer("limit")
    found = await call.backend.containers.list(
        all=query.flag("all"),
        limit=limit if limit and limit > 0 else None,
        size=query.flag("size"),
        filters=query.filters(),
    )
    return document([versions.container_summary(item, call.version) for item in found])


async def _inspect(call: Call) -> web.StreamResponse:
    found = await call.backend.containers.inspect(call.params["id"], size=call.query.flag("size"))
    return document(versions.container_inspect(found, call.version))


async def _start(call: Call) -> web.StreamResponse:
    # A body was a HostConfig until 1.24; today's clients send none, or {} or null.
    if await call.body(dict[str, object]):
        raise InvalidArgument(
            "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24"
        )
    query = call.query
    await call.backend.containers.start(
        call.params["id"],
        detach_keys=query.text("detachKeys"),
        saved=query.text("checkpoint") or "",
        saved_dir=query.text("checkpoint-dir") or "",
    )
    return empty()


async def _stop(call: Call) -> web.StreamResponse:
    query = call.query
    signal, timeout_s = query.text("signal"), query.integer("t")
    await call.backend.containers.stop(call.params["id"], signal=signal, timeout_s=timeout_s)
    return empty()


async def _restart(call: Call) -> web.StreamResponse:
    query = call.query
    signal, timeout_s = query.text("signal"), query.integer("t")
    await call.backend.containers.restart(call.params["id"], signal=signal, timeout_s=timeout_s)
    return empty()


async def _kill(call: Call) -> web.StreamResponse:
    await call.backend.containers.kill(call.params["id"], signal=call.query.text("signal"))
    return empty()


async def _pause(call: Call) -> web.StreamResponse:
    await call.backend.containers.pause(call.params["id"])
    return empty()


async def _unpause(call: Call) -> web.StreamResponse:
    await call.backend.containers.unpause(call.params["id"])
    return empty()


async def _rename(call: Call) -> web.StreamResponse:
    await call.backend.containers.rename(call.params["id"], call.query.text("name") or "")
    return empty()


async def _remove(call: Call) -> web.StreamResponse:
    query = call.query
    await call.backend.containers.remove(
        call.params["id"], force=query.flag("force"), volumes=query.flag("v"), link=query.flag("link")
    )
    return empty()


async def _update(call: Call) -> web.StreamResponse:
    doc = versions.update_request(await call.required_body(ContainerUpdateRequest), call.version)
    updated = await call.backend.containers.update(call.params["id"], doc)
    return document({**updated, "Warnings": updated.get("Warnings") or []})


async def _prune(call: Call) -> web.StreamResponse:
    return document(await call.backend.containers.prune(call.query.filters()))


async def _wait(call: Call) -> web.StreamResponse:
    condition = call.query.text("condition") or "not-running"
    if condition not in _CONDITIONS:
        raise InvalidArgument(f'invalid condition: "{condition}"')
    return await later(call, await call.backend.containers.wait(call.params["id"], condition=condition))


async def _attach(call: Call) -> web.StreamResponse:
    return await take_over(call, await _attached(call))


async def _attach_websocket(call: Call) -> web.StreamResponse:
    return await websocket.carry(call, await _attached(call))


async def _attached(call: Call) -> AttachedStream:
    query = call.query
    return await call.backend.containers.attach(
        call.params["id"],
        stdin=query.flag("stdin"),
        stdout=query.flag("stdout"),
        stderr=query.flag("stderr"),
        logs=query.flag("logs"),
        stream=query.flag("stream"),
        detach_keys=query.text("detachKeys"),
    )


async def _logs(call: Call) -> web.StreamResponse:
    query = call.query
    stdout, stderr = query.flag("stdout"), query.flag("stderr")
    if not (stdout or stderr):
        raise InvalidArgument("Bad parameters: you must choose at least one stream")
    log = await call.backend.containers.logs(
        call.params["id"],
        stdout=stdout,
        stderr=stderr,
        follow=query.flag("follow"),
        since=query.text("since"),
        until=query.text("until"),
        timestamps=query.flag("timestamps"),
        tail=query.text("tail"),
        details=query.flag("details"),
    )
    return await raw(call, aiter(log), versions.stream_type(call.version, tty=log.tty), at_once=True)


async def _resize(call: Call) -> web.StreamResponse:
    rows, columns = size_of(call)
    await call.backend.containers.resize(call.params["id"], rows=rows, columns=columns)
    return empty(200)


def size_of(call: Call) -> tuple[int, int]:
    """Return the rows and columns that a resize request asks for."""
    sizes: list[int] = []
    for name, word in (("h", "height"), ("w", "width")):
        text = call.query.text(name) or ""
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()):
            raise InvalidArgument(f'invalid resize {word} "{text}": invalid syntax')
        if not 0 <= int(text) <= 0xFFFF:
            raise InvalidArgument(f'invalid resize {word} "{text}": value out of range')
        sizes.append(int(text))
    return sizes[0], sizes[1]


def _path_stat(stat: ContainerPathStat) -> dict[str, str]:
    """Return the header that describes a path: JSON in base64."""
    return {"X-Docker-Container-Path-Stat": b64encode(msgspec.json.encode(stat)).decode()}


async def _stat_archive(call: Call) -> web.StreamResponse:
    found = await call.backend.containers.archive(call.params["id"], call.query.required("path"))
    await found.aclose()
    return web.Response(headers={**HEADERS, **_path_stat(found.stat)})


async def _get_archive(call: Call) -> web.StreamResponse:
    found = await call.backend.containers.read_archive(call.params["id"], call.query.required("path"))
    return await raw(call, found, "application/x-tar", at_once=False, headers=_path_stat(found.stat))


async def _put_archive(call: Call) -> web.StreamResponse:
    query = call.query
    await call.backend.containers.extract(
        call.params["id"],
        query.required("path"),
        call.chunks(),
        keep_kinds=query.flag("noOverwriteDirNonDir"),
        own=query.flag("copyUIDGID"),
    )
    return empty(200)


async def _export(call: Call) -> web.StreamResponse:
    archive = await call.backend.containers.export(call.params["id"])
    return await raw(call, archive, "application/octet-stream", at_once=False)


async def _changes(call: Call) -> web.StreamResponse:
    return document(await call.backend.containers.changes(call.params["id"]) or None)


async def _commit(call: Call) -> web.StreamResponse:
    query = call.query
    made = await call.backend.containers.commit(
        query.text("container") or "",
        repository=query.text("repo") or "",
        tag=query.text("tag"),
        author=query.text("author") or "",
        comment=query.text("comment") or "",
        pause=query.flag("pause", default=True),
        changes=query.texts("changes"),
        config=await call.body(ContainerConfig),
    )
    return document({"Id": made}, 201)


async def _top(call: Call) -> web.StreamResponse:
    return document(await call.backend.containers.top(call.params["id"], ps_args=call.query.text("ps_args")))


async def _stats(call: Call) -> web.StreamResponse:
    stream, one_shot = call.query.flag("stream", default=True), call.query.flag("one-shot")
    if stream and one_shot:
        raise InvalidArgument("cannot have stream=true and one-shot=true")
    samples = call.backend.containers.stats(call.params["id"], stream=stream, one_shot=one_shot)
    return await lines(call, samples)


async def _steps(call: Call) -> web.StreamResponse:
    return document(await call.backend.containers.steps(call.params["id"]))


ROUTES = (
    Route("GET", "/containers/json", _list),
    Route("POST", "/containers/create", _create),
    Route("POST", "/containers/prune", _prune),
    Route("GET", "/containers/{id:.*}/json", _inspect),  # likewise
    Route("GET", "/containers/{id}/top", _top),
    Route("GET", "/containers/{id}/logs", _logs),
    Route("GET", "/containers/{id}/stats", _stats),
    Route("GET", "/containers/{id}/changes", _changes),
    Route("GET", "/containers/{id}/export", _export),
    Route("HEAD", "/containers/{id}/archive", _stat_archive),
    Route("GET", "/containers/{id}/archive", _get_archive),
    Route("PUT", "/containers/{id}/archive", _put_archive),
    Route("POST", "/commit", _commit),
    Route("POST", "/containers/{id}/resize", _resize),
    Route("POST", "/containers/{id}/start", _start),
    Route("POST", "/containers/{id}/stop", _stop),
    Route("POST", "/containers/{id}/restart", _restart),
    Route("POST", "/containers/{id}/kill", _kill),
    Route("POST", "/containers/{id}/update", _update),
    Route("POST", "/containers/{id}/rename", _rename),
    Route("POST", "/containers/{id}/pause", _pause),
    Route("POST", "/containers/{id}/unpause", _unpause),
    Route("POST", "/containers/{id}/attach", _attach),
    Route("GET", "/containers/{id}/attach/ws", _attach_websocket),
    Route("POST", "/containers/{id}/wait", _wait),
    Route("DELETE", "/containers/{id:.*}", _remove),  # a link has a slash in its name
    Route("GET", "/wharf/containers/{id}/steps", _steps),  # ours: what a benchmark reads
)
