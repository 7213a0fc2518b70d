from __future__ import annotations

import pytest
from aiohttp import web

from wharf.api.call import Call
from wharf.api.routes import Route, Table
from wharf.api.versions import Version
from wharf.errors import NotFound


async def answer(call: Call) -> web.StreamResponse:
    raise AssertionError


OLD, NEW = Version((1, 40)), Version((1, 51))
TABLE = Table(
    [
        Route("GET", "/images/json", answer),
        Route("GET", "/images/{name:.*}/json", answer),
        Route("GET", "/things/{id}", answer, since=NEW),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "version"),
    [
        ("POST", "/images/json", NEW),
        ("GET", "/images", NEW),
        ("GET", "images/json", NEW),
        ("GET", "", NEW),
        ("GET", "/things/a/b", NEW),
        ("GET", "/things/a", OLD),
        ("GET", "/images//json", NEW),
    ],
)
def test_path_that_is_not_in_the_table_is_not_found(method: str, path: str, version: Version) -> None:
    with pytest.raises(NotFound, match="page not found"):
        TABLE.find(method, path, version)


@pytest.mark.parametrize(
    ("path", "route", "params"),
    [
        ("/images/json", "/images/json", {}),
        ("/images/a/json", "/images/{name:.*}/json", {"name": "a"}),
        ("/images/r.example:5000/a/b:c/json", "/images/{name:.*}/json", {"name": "r.example:5000/a/b:c"}),
        ("/images/a%2Fb%40sha256:0/json", "/images/{name:.*}/json", {"name": "a/b@sha256:0"}),
        ("/things/%C3%A9", "/things/{id}", {"id": "é"}),
    ],
)
def test_path_finds_its_route_and_parameters(path: str, route: str, params: dict[str, str]) -> None:
    found, values = TABLE.find("GET", path, NEW)

    assert (found.path, values) == (route, params)
