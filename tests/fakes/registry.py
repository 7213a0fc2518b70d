"""A registry of ours on loopback, for what a good one never does: it fails, lies and dawdles as a test says."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from aiohttp import web

from wharf.images.registry.credentials import ANONYMOUS, Credentials
from wharf.images.registry.host import Host
from wharf.images.registry.hosts import RegistryOptions
from wharf.images.registry.repository import Repository
from wharf.images.registry.retrying import Patience
from wharf.images.registry.transport import Transport, Waiting
from wharf.lib.digest import Digest, digest_of

Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
_RANGE = re.compile(r"bytes=(\d+)-")


@dataclass
class FakeRegistry:
    """What it has, what it does wrong next, and what it was asked."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)  # by tag and digest: bytes, media type
    uploads: dict[str, bytearray] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)  # each is asked once, in turn, before an answer
    asked: list[str] = field(default_factory=list)  # method and path
    headers: list[dict[str, str]] = field(default_factory=list)
    ranges: bool = True
    address: str = ""

    def add(self, data: bytes) -> Digest:
        self.blobs[digest_of(data)] = data
        return digest_of(data)

    def name(self, tag: str, raw: bytes, media_type: str) -> Digest:
        self.manifests[tag] = self.manifests[digest_of(raw)] = (raw, media_type)
        return digest_of(raw)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path_qs}")
        self.headers.append(dict(request.headers))
        if self.faults and (fault := await self.faults.pop(0)(request)) is not None:
            return fault
        kind, _, rest = request.path.removeprefix("/v2/").partition("/")[2].partition("/")
        if request.path == "/v2/":
            return web.json_response({})
        if kind == "manifests":
            return await self._manifest(request, rest)
        if kind == "blobs" and rest.startswith("uploads/"):
            return await self._upload(request, rest.removeprefix("uploads/"))
        if kind == "blobs":
            return self._blob(request, rest)
        return failed(404, "NAME_UNKNOWN")

    async def _manifest(self, request: web.Request, name: str) -> web.StreamResponse:
        if request.method == "PUT":
            raw = await request.read()
            digest = self.name(name, raw, request.headers["Content-Type"])
            return web.Response(status=201, headers={"Docker-Content-Digest": digest})
        if name not in self.manifests:
            return failed(404, "MANIFEST_UNKNOWN")
        raw, media_type = self.manifests[name]
        headers = {"Docker-Content-Digest": digest_of(raw), "Content-Type": media_type}
        return web.Response(body=raw, headers=headers)

    def _blob(self, request: web.Request, digest: str) -> web.StreamResponse:
        if digest not in self.blobs:
            return failed(404, "BLOB_UNKNOWN")
        data = self.blobs[digest]
        match = _RANGE.fullmatch(request.headers.get("Range", ""))
        if match and self.ranges:
            start = int(match[1])
            span = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
            return web.Response(status=206, body=data[start:], headers=span)
        return web.Response(body=data)

    async def _upload(self, request: web.Request, session: str) -> web.StreamResponse:
        if request.method == "POST":
            if request.query.get("mount") in self.blobs:
                return web.Response(status=201)
            session = f"u{len(self.uploads)}"
            self.uploads[session] = bytearray()
        elif request.method == "PATCH":
            start = int(request.headers["Content-Range"].partition("-")[0])
            if start != len(self.uploads[session]):
                return failed(416, "BLOB_UPLOAD_INVALID")
            self.uploads[session] += await request.read()
        elif request.method == "PUT":
            self.uploads[session] += await request.read()
            if digest_of(bytes(self.uploads[session])) != request.query["digest"]:
                return failed(400, "DIGEST_INVALID")
            self.add(bytes(self.uploads[session]))
            return web.Response(status=201)
        done = {"Range": f"0-{max(0, len(self.uploads[session]) - 1)}"}
        location = request.path[: request.path.index("uploads/")] + f"uploads/{session}?state=s"
        return web.Response(status=204 if request.method == "GET" else 202, headers={"Location": location, **done})


def failed(status: int, code: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"errors": [{"code": code, "message": code.lower()}]}
    return web.json_response(body, status=status, headers=headers)


def fails(status: int, code: str = "UNKNOWN", **headers: str) -> Fault:
    async def fault(request: web.Request) -> web.StreamResponse:
        return failed(status, code, {name.replace("_", "-"): value for name, value in headers.items()})

    return fault


def breaks_off(data: bytes, promised: int) -> Fault:
    """Promise so many bytes, send fewer, and hang up."""

    async def fault(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(promised)})
        await response.prepare(request)
        await response.write(data)
        assert request.transport is not None
        request.transport.close()
        return response

    return fault


async def well(request: web.Request) -> None:
    """No fault this time."""


@asynccontextmanager
async def serving(fake: FakeRegistry) -> AsyncIterator[FakeRegistry]:
    async def app(request: web.BaseRequest) -> web.StreamResponse:
        return await fake.answer(request)  # type: ignore[arg-type]  # all that is used of it is the same

    runner = web.ServerRunner(web.Server(app))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.address = f"127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()


@dataclass
class Slept:
    """Waits for nothing, and remembers for how long it should have."""

    delays: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.delays.append(seconds)


def waiting(slept: Slept | None = None, attempts: int = 3) -> Waiting:
    patience = Patience(attempts=attempts, first_s=1.0, longest_s=20.0)
    return Waiting(sleep=slept or Slept(), chance=lambda: 1.0, patience=patience)


@asynccontextmanager
async def repository(
    fake: FakeRegistry,
    credentials: Credentials = ANONYMOUS,
    slept: Slept | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Repository]:
    """The repository ``repo`` of a served fake."""
    patient = replace(waiting(slept), monotonic=monotonic)
    async with serving(fake):
        transport = Transport(RegistryOptions(), patient)
        try:
            connection = transport.connect(Host(fake.address, ("http",)), credentials)
            yield Repository(connection, "repo", patient)
        finally:
            await transport.aclose()
