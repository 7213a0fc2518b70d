from __future__ import annotations

from typing import Any

from wharf.client.builds import Builds
from wharf.client.client import Client


def _answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n\r\n" + body  # the connection ends it: so it is not taken for one more request


def test_a_context_is_sent_and_lines_come_back(serve: Any) -> None:
    address = serve(_answer(b'{"stream":"a"}\n{"aux":{"ID":"x"}}\n'))

    with Client(address, version="1.51") as client:
        assert list(Builds(client).build([b""], {"t": ["a", "b"]})) == [{"stream": "a"}, {"aux": {"ID": "x"}}]

    assert serve.requests[0].startswith(b"POST /v1.51/build?t=a&t=b HTTP/1.1\r\n")


def test_results_are_pruned_but_for_some_bytes(serve: Any) -> None:
    address = serve(_answer(b'{"CachesDeleted":[],"SpaceReclaimed":5}'))

    with Client(address, version="1.51") as client:
        assert Builds(client).prune(keep_bytes=7)["SpaceReclaimed"] == 5

    assert b"/build/prune?reserved-space=7 " in serve.requests[0]
