from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from aiohttp import web
from tests.fakes.registry import FakeRegistry, serving, waiting

from wharf.errors import InvalidArgument, WharfError
from wharf.images.registry.credentials import ANONYMOUS
from wharf.images.registry.hosts import RegistryOptions
from wharf.images.registry.search import search, split_term
from wharf.images.registry.transport import Transport

FOUND = [
    {"name": "busybox", "description": "d", "is_official": True, "is_automated": False, "star_count": 9, "more": 1},
    {"name": "my/busybox", "description": "", "is_official": False, "is_automated": False, "star_count": 1},
]


@dataclass
class Searched(FakeRegistry):
    body: bytes | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        return web.Response(body=self.body) if self.body is not None else web.json_response({"results": FOUND})


def names(fake: Searched, filters: Mapping[str, list[str]], limit: int | None = None) -> list[str | None]:
    async def ask() -> list[str | None]:
        async with serving(fake):
            transport = Transport(RegistryOptions(), waiting())
            term = f"{fake.address}/busybox"
            try:
                found = await search(transport, term, limit=limit, filters=filters, credentials=ANONYMOUS)
            finally:
                await transport.aclose()
            return [one.get("name") for one in found]

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["busybox", "my/busybox"]),
        ({"stars": ["3"]}, ["busybox"]),
        ({"is-official": ["false"]}, ["my/busybox"]),
        ({"is-automated": ["true"]}, []),
    ],
)
def test_filters_choose(filters: dict[str, list[str]], expected: list[str]) -> None:
    fake = Searched()

    assert names(fake, filters) == expected
    assert fake.asked == ["/v1/search?q=busybox&n=25"]


def test_no_more_than_the_limit_come() -> None:
    assert names(Searched(), {}, 1) == ["busybox"]


@pytest.mark.parametrize(("filters", "limit"), [({"colour": ["red"]}, 1), ({"stars": ["x"]}, 1), ({}, 101), ({}, -1)])
def test_what_makes_no_sense_is_refused(filters: dict[str, list[str]], limit: int) -> None:
    with pytest.raises(InvalidArgument):
        names(Searched(), filters, limit)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"results":[{"name":1}]}'])
def test_an_answer_without_sense_is_told(body: bytes) -> None:
    with pytest.raises(WharfError, match="makes no sense"):
        names(Searched(body=body), {})


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("busybox", ("docker.io", "busybox")),
        ("library/busybox", ("docker.io", "busybox")),
        ("me/app", ("docker.io", "me/app")),
        ("index.docker.io/me/app", ("docker.io", "me/app")),
        ("localhost:5000/app", ("localhost:5000", "app")),
    ],
)
def test_a_term_may_begin_with_a_registry(term: str, expected: tuple[str, str]) -> None:
    assert split_term(term) == expected


@pytest.mark.parametrize("term", ["", "https://a/b", "localhost/"])
def test_a_term_without_a_word_is_refused(term: str) -> None:
    with pytest.raises(InvalidArgument):
        split_term(term)
