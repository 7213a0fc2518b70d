from __future__ import annotations

import pytest
from tests.fakes.http import Served, scenario


@scenario
async def test_there_are_no_plugins_and_none_of_a_name(served: Served) -> None:
    listed = await served.ask("GET", "/plugins?filters=%7B%22enabled%22%3A%5B%22true%22%5D%7D")
    missing = [
        await served.ask(method, f"/plugins/a/b:1{rest}")
        for method, rest in (("GET", "/json"), ("DELETE", ""), ("POST", "/enable"), ("POST", "/set"))
    ]

    assert (listed.status, listed.json) == (200, [])
    assert {(answer.status, answer.json["message"]) for answer in missing} == {(404, 'plugin "a/b:1" not found')}


@scenario
async def test_filter_that_plugins_do_not_have_is_refused(served: Served) -> None:
    answer = await served.ask("GET", "/plugins?filters=%7B%22colour%22%3A%5B%22red%22%5D%7D")

    assert (answer.status, answer.json) == (400, {"message": "invalid filter 'colour'"})


@pytest.mark.parametrize("path", ["/plugins/pull", "/plugins/create"])
def test_installing_one_is_refused_by_name(path: str) -> None:
    @scenario
    async def body(served: Served) -> None:
        answer = await served.ask("POST", path)
        assert (answer.status, "installing plugins is not supported" in answer.json["message"]) == (501, True)

    body()
