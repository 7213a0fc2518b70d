from __future__ import annotations

from typing import Any

from wharf.client.client import Client
from wharf.client.plugins import Plugins


def _answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n\r\n" + body  # the connection ends it: so it is not taken for one more request


def test_a_plugin_is_pulled_with_what_it_is_granted(serve: Any) -> None:
    address = serve(_answer(b'{"status":"Complete"}\n'))

    with Client(address, version="1.51") as client:
        progress = Plugins(client).pull("h:5/a:1", name="b", grants=[{"Name": "network"}], auth="e30=")
        assert list(progress) == [{"status": "Complete"}]

    head = serve.requests[0]
    assert head.startswith(b"POST /v1.51/plugins/pull?remote=h%3A5%2Fa%3A1&name=b HTTP/1.1\r\n")
    assert b"X-Registry-Auth: e30=\r\n" in head


def test_a_references_slashes_are_part_of_the_path(serve: Any) -> None:
    address = serve(_answer(b""))

    with Client(address, version="1.51") as client:
        Plugins(client).disable("h:5/a:1", force=True)

    assert b" /v1.51/plugins/h:5/a:1/disable?force=1 " in serve.requests[0]
