"""The Engine API on an engine: from a request to the handler that answers it."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable, Iterator

from aiohttp import HttpVersion10, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from wharf.api import (
    build,
    buildkit,
    checkpoints,
    containers,
    images,
    metrics,
    networks,
    plugins,
    swarm,
    system,
    unsupported,
    volumes,
)
from wharf.api import exec as exec_
from wharf.api.answers import Over, document, empty
from wharf.api.authorization import judged
from wharf.api.backend import Backend
from wharf.api.call import Call
from wharf.api.connection import Connection, ConnectionFactory
from wharf.api.errors import error_document, status_of
from wharf.api.head import MAX_HEAD_BYTES
from wharf.api.query import Query
from wharf.api.routes import Route, Table
from wharf.api.versions import split_version
from wharf.errors import Forbidden, InvalidArgument, WharfError

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
"""Longest JSON body; archives are streams and have no limit here."""
_READ_AHEAD = 512 * 1024
"""Bytes of a body that are taken in before its reader is ready for them: fewer, larger pieces of an archive."""

_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")
_ADDRESS = re.compile(r"(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost)(?::\d+)?")  # what no DNS server can answer for
_log = logging.getLogger(__name__)


def routes() -> Iterator[Route]:
    """Yield every endpoint, in the order in which they are tried."""
    nouns = (system, metrics, checkpoints, containers, exec_, images, networks, volumes, plugins, build, buildkit)
    for noun in nouns:
        yield from noun.ROUTES
    yield from swarm.routes()
    yield from unsupported.routes()


class ApiServer:
    """Serves one engine; give :attr:`protocols` to the event loop's ``create_server`` and ``create_unix_server``.

    Make it within a running event loop; :meth:`close` ends every connection.
    """

    def __init__(self, backend: Backend, offered: Iterable[Route] | None = None) -> None:
        """Serve ``offered``; every endpoint there is, unless some are named."""
        self._backend = backend
        self._judges = offered is None  # numbers for Prometheus are nobody's request
        self._table = Table(routes() if offered is None else offered)
        self._streams: set[asyncio.Task[object]] = set()
        self.protocols = ConnectionFactory(
            self._answer,
            request_factory=_request,
            access_log=None,
            auto_decompress=False,
            read_bufsize=_READ_AHEAD,
            max_line_size=MAX_HEAD_BYTES,
            max_field_size=MAX_HEAD_BYTES,
        )

    async def close(self, grace_s: float = 5.0) -> None:
        """End what has no end of its own at once, and give other requests ``grace_s`` seconds."""
        self.protocols.pre_shutdown()
        for task in tuple(self._streams):
            task.cancel()
        await self.protocols.shutdown(grace_s)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        _log.debug("calling %s %s", request.method, request.raw_path)
        try:
            response: web.StreamResponse = await self._dispatch(request)
        except WharfError as error:
            response = _failure(error)
        except web.HTTPException as error:
            response = document({"message": error.reason}, error.status)
        except ConnectionAbortedError as error:
            _log.warning("%s %s: the answer was cut off: %s", request.method, request.raw_path, error)
            response = Over()
        except ConnectionError:
            _log.debug("%s %s: the client has gone", request.method, request.raw_path)
            response = Over()
        except Exception as error:  # noqa: BLE001  # the outermost edge: it is logged, and the client is told
            _log.exception("%s %s failed", request.method, request.raw_path)
            response = _failure(error)
        if isinstance(request.protocol, Connection) and request.protocol.client is not None:
            response.force_close()  # what the client sent since may not be HTTP
        return response

    async def _dispatch(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.version < HttpVersion10:
            raise InvalidArgument("malformed HTTP version: a request names HTTP/1.0 or later")
        _refuse_web_pages(request)
        path, _, query = _target(request.raw_path).partition("?")
        version, path = split_version(path)
        route, params = self._table.find(request.method, path, version)
        call = Call(request, self._backend, version, params, Query(query), self._streams)
        if not (self._judges and self._backend.authorization.wanted):
            return await route.answer(call)
        return await judged(request, self._backend.authorization, lambda: route.answer(call))


def _refuse_web_pages(request: web.BaseRequest) -> None:
    """Refuse what a browser sends for a page: on TCP, every page that a local user opens could reach the engine.

    Browsers name the page in Origin with each request that changes something. Of the API's clients those of
    WebSockets do, too: the address that they talk to. A page of that origin would be ours, and we have none.
    """
    origin = request.headers.get("Origin")
    if origin is not None and not _by_path(request) and not _names(origin, request.headers.get("Host", "")):
        raise Forbidden("requests of web pages are refused")


def _names(origin: str, host: str) -> bool:
    """Whether an origin is the very address that the client came to. Not a name: a page's may be led to us by DNS."""
    scheme, _, authority = origin.partition("://")
    return scheme in {"http", "https"} and authority == host and _ADDRESS.fullmatch(host) is not None


def _by_path(request: web.BaseRequest) -> bool:
    """Whether the client came by a socket in the file system, which browsers cannot."""
    name = None if request.transport is None else request.transport.get_extra_info("sockname")
    return isinstance(name, (str, bytes)) and bool(name)  # TLS is taken off before us, by a socket without a name


def _target(raw: str) -> str:
    """Return a request's path and query as sent, also when it was sent with a host before it (RFC 9112, 3.2.2)."""
    return raw if raw.startswith("/") else _ORIGIN.sub("", raw)


def _failure(error: Exception) -> web.Response:
    status = status_of(error)
    return empty(status) if status == 304 else document(error_document(error), status)


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    if isinstance(protocol, Connection):
        protocol.body = payload
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_DOCUMENT_BYTES)
