"""One request on its way through a handler."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar, cast

import msgspec
from aiohttp import web

from wharf.api.backend import Backend
from wharf.api.connection import Connection
from wharf.api.query import Query
from wharf.api.versions import Version
from wharf.errors import InvalidArgument
from wharf.lib.json_complaint import json_complaint
from wharf.lib.spelling import respelling

T = TypeVar("T")

_LONG: Final = re.compile(rb"[0-9]{19}")
_STRING_OR_LIST = (
    "Cmd",
    "Entrypoint",
    "Shell",
    "CapAdd",
    "CapDrop",
)  # Docker's StrSlice: a text stands for a list of one


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler needs to know of a request."""

    request: web.BaseRequest
    backend: Backend
    version: Version
    params: Mapping[str, str]  # the path's parts, unquoted
    query: Query
    streams: set[asyncio.Task[object]]  # answers without an end of their own: cancelled when the server stops

    @property
    def connection(self) -> Connection:
        """The client's connection."""
        return cast("Connection", self.request.protocol)

    async def body(self, shape: type[T]) -> T | None:
        """Return the body as a document of ``shape``; None when there is none.

        Fields that ``shape`` does not have are dropped, and the case of names does not matter, as with Docker.

        Raises:
            InvalidArgument: it is not JSON, is not said to be, or is of another shape.
        """
        raw = await self.request.read()
        if not raw:
            return None
        if not says_json(self.request):
            if not (kind := _media_type(self.request)):
                raise InvalidArgument("malformed Content-Type header (): mime: no media type")
            raise InvalidArgument(f"unsupported Content-Type header ({kind}): must be 'application/json'")
        try:
            decoded = respelling(cast("Hashable", shape))(msgspec.json.decode(raw))
            if _LONG.search(raw):
                _require_64_bits(decoded)
            if isinstance(decoded, dict):
                _lists_from_texts(decoded)
            return None if decoded is None else msgspec.convert(decoded, shape)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise InvalidArgument(json_complaint(raw, str(error))) from error

    async def required_body(self, shape: type[T]) -> T:
        """Return the body as :meth:`body` does; InvalidArgument when there is none."""
        if (document := await self.body(shape)) is None:
            raise InvalidArgument("invalid JSON: got EOF while reading request body")
        return document

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes."""
        if self.request.headers.get("Expect", "").lower() == "100-continue" and self.request.transport is not None:
            self.request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        async for chunk in self.request.content.iter_any():
            yield chunk

    @contextmanager
    def until_stopped(self) -> Iterator[None]:
        """Within, this call ends when the server stops: for connections that were taken over."""
        task = asyncio.current_task()
        assert task is not None
        self.streams.add(task)
        try:
            yield
        finally:
            self.streams.discard(task)

    @contextmanager
    def open_ended(self) -> Iterator[None]:
        """Within, this call ends when its client goes or the server stops: for answers that wait or follow."""
        task = asyncio.current_task()
        assert task is not None
        self.streams.add(task)
        self.connection.on_lost = task.cancel
        try:
            yield
        finally:
            self.connection.on_lost = None
            self.streams.discard(task)


def _require_64_bits(value: object) -> None:
    """Refuse numbers that no number of the API's is large enough for: Python's have no end.

    Raises:
        InvalidArgument: there is one, in the words of Go's decoder.
    """
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, list):
        for item in value:
            _require_64_bits(item)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise InvalidArgument(f"invalid JSON: json: cannot unmarshal number {value} into Go value of type int64")


def says_json(request: web.BaseRequest) -> bool:
    """Tell whether a request's body is a document: no other is read as one, and plugins are shown every one. Pure."""
    return _media_type(request) == "application/json"


def _media_type(request: web.BaseRequest) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _lists_from_texts(document: dict[str, object]) -> None:
    for field in _STRING_OR_LIST:
        if isinstance(value := document.get(field), str):
            document[field] = [value]
    if isinstance(inner := document.get("HostConfig"), dict):
        _lists_from_texts(inner)
