"""Processes beside a container's own, over HTTP (Engine API, "Exec")."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from wharf.api import versions
from wharf.api.answers import carry, document, empty, end_http, tell_instead
from wharf.api.call import Call
from wharf.api.containers import size_of
from wharf.api.routes import Route
from wharf.errors import InvalidArgument, WharfError
from wharf.spec.engine_api.exec import ExecConfig, ExecStartConfig


async def _create(call: Call) -> web.StreamResponse:
    doc = await call.required_body(ExecConfig)
    if not doc.get("Cmd"):
        raise InvalidArgument("No exec command specified")
    if call.version < (1, 42):
        doc.pop("ConsoleSize", None)
    return document({"Id": await call.backend.execs.create(call.params["id"], doc)}, 201)


async def _start(call: Call) -> web.StreamResponse:
    options = await call.body(ExecStartConfig) or ExecStartConfig()
    detach, tty, console_size = bool(options.get("Detach")), bool(options.get("Tty")), _console_size(call, options)
    start = partial(call.backend.execs.start, call.params["id"], detach=detach, tty=tty, console_size=console_size)
    if detach:
        await start()
        return empty(200)
    await call.backend.execs.inspect(call.params["id"])  # one that is unknown has an answer of its own
    # The head goes before the process starts: docker-py loses what it receives together with it.
    client = await end_http(call, tty=tty)
    try:
        stream = await start()
    except WharfError as error:
        return await tell_instead(client, error, tty=tty)
    assert stream is not None, "only a detached exec has no stream"
    return await carry(call, client, stream, tty=tty)


def _console_size(call: Call, options: ExecStartConfig) -> list[int] | None:
    size = options.get("ConsoleSize")
    if not size or call.version < (1, 42):
        return None
    if len(size) != 2 or not all(0 <= side <= 0xFFFF for side in size):
        raise InvalidArgument(f"invalid ConsoleSize: {size}")
    if not options.get("Tty"):
        raise InvalidArgument("console size is only supported when TTY is enabled")
    return size


async def _inspect(call: Call) -> web.StreamResponse:
    return document(versions.exec_inspect(await call.backend.execs.inspect(call.params["id"]), call.version))


async def _resize(call: Call) -> web.StreamResponse:
    rows, columns = size_of(call)
    await call.backend.execs.resize(call.params["id"], rows=rows, columns=columns)
    return empty(200)


ROUTES = (
    Route("POST", "/containers/{id}/exec", _create),
    Route("POST", "/exec/{id}/start", _start),
    Route("POST", "/exec/{id}/resize", _resize),
    Route("GET", "/exec/{id}/json", _inspect),
)
