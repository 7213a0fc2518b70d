from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest
from aiohttp import web as server
from aiohttp.test_utils import TestServer

from wharf.build.operations import web
from wharf.errors import InvalidArgument, NotFound, Unavailable

_CONTENT = b"content"
_DIGEST = f"sha256:{hashlib.sha256(_CONTENT).hexdigest()}"


async def _answer(request: server.Request) -> server.Response:
    if request.path != "/f":
        return server.Response(status=404 if request.path == "/none" else 500)
    return server.Response(body=_CONTENT, headers={"Last-Modified": "Thu, 01 Jan 1970 00:00:05 GMT"})


async def _download(path: str, folder: Path, checksum: str = "") -> Path:
    application = server.Application()
    application.router.add_get("/{path:.*}", _answer)
    async with TestServer(application) as running:
        return await web.download(web.Request(str(running.make_url(path)), "name", checksum), folder)


def test_a_file_comes_with_the_servers_time_for_its_owner_alone(tmp_path: Path) -> None:
    found = asyncio.run(_download("/f", tmp_path / "new", _DIGEST))

    assert (found.name, found.read_bytes()) == ("name", _CONTENT)
    assert (found.stat().st_mtime_ns, oct(found.stat().st_mode & 0o777)) == (5_000_000_000, "0o600")


@pytest.mark.parametrize(
    ("path", "checksum", "kind"),
    [("/none", "", NotFound), ("/broken", "", Unavailable), ("/f", "sha256:" + "0" * 64, InvalidArgument)],
)
def test_what_is_missing_broken_or_other_is_refused(
    tmp_path: Path, path: str, checksum: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        asyncio.run(_download(path, tmp_path / "new", checksum))


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        asyncio.run(web.download(web.Request("http://127.0.0.1:1/f", "f"), tmp_path / "new"))


def test_what_is_at_an_address_is_read_as_it_comes() -> None:
    async def work(path: str) -> bytes:
        application = server.Application()
        application.router.add_get("/{path:.*}", _answer)
        async with TestServer(application) as running:
            return b"".join([data async for data in web.read(str(running.make_url(path)))])

    assert asyncio.run(work("/f")) == _CONTENT
    with pytest.raises(NotFound):
        asyncio.run(work("/none"))
