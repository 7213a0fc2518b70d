from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wharf.client.client import Client, query_string, quote
from wharf.client.containers import Containers
from wharf.client.errors import EngineAnswer, EngineUnreachable, ProtocolError
from wharf.errors import Conflict, InvalidArgument, NotFound, WharfError

_PING = b"HTTP/1.1 200 OK\r\nApi-Version: 1.43\r\nContent-Length: 2\r\n\r\nOK"


def _json(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


def test_nobody_there_is_unreachable(tmp_path: Any) -> None:
    with pytest.raises(EngineUnreachable, match="cannot connect to the engine"):
        Client(f"unix://{tmp_path}/none").ping()


@pytest.mark.parametrize("host", ["", "foo", "unix://", "tcp://x", "tcp://x:99999", "ssh://x:1"])
def test_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(InvalidArgument):
        Client(host)


@pytest.mark.parametrize(
    ("status", "kind"), [(b"404 Not Found", NotFound), (b"409 Conflict", Conflict), (b"500 Oops", WharfError)]
)
def test_status_comes_back_as_our_error_with_the_engine_s_words(
    serve: Callable[..., str], status: bytes, kind: type[WharfError]
) -> None:
    host = serve(_PING, _json(b'{"message":"No such container: x"}', status))

    with Client(host) as client, pytest.raises(kind) as raised:
        Containers(client).inspect("x")

    assert (str(raised.value), type(raised.value.__cause__)) == ("No such container: x", EngineAnswer)


def test_who_asks_on_while_the_client_is_closed_leaves_no_connection_open(serve: Callable[..., str]) -> None:
    """A thread that follows events may be in the middle of a request then."""
    client = Client(serve(_PING, _json(b"[]")), version="1.43")
    client.close()
    client.ping()

    assert client._idle is None


def test_both_sides_agree_on_the_older_version(serve: Any) -> None:
    host = serve(_PING, _json(b"[]"))

    with Client(host) as client:
        assert Containers(client).list() == []

    assert serve.requests[1].startswith(b"GET /v1.43/containers/json HTTP/1.1\r\n")


def test_already_so_is_no_failure(serve: Callable[..., str]) -> None:
    with Client(serve(_PING, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n")) as client:
        Containers(client).start("x")


def test_chunked_json_lines_come_one_by_one(serve: Callable[..., str]) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = head + b'5\r\n{"a":\r\n5;x=y\r\n1}\n{}\r\n1\r\n\n\r\n0\r\n\r\n'
    with Client(serve(_PING, chunked)) as client:
        assert list(client.request("GET", "/events").json_lines()) == [{"a": 1}, {}]


def test_hijacked_stream_keeps_what_came_with_the_head(serve: Callable[..., str]) -> None:
    upgraded = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly"
    with Client(serve(_PING, upgraded)) as client:
        wire = Containers(client).attach("x", stdout=True)
        data = wire.read_some()
        wire.close()

    assert data == b"early"


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nnocolon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000,
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_not_http_is_a_protocol_error(serve: Callable[..., str], answer: bytes) -> None:
    with Client(serve(answer)) as client, pytest.raises(ProtocolError):
        client.ping()


def test_answer_that_is_not_json_is_a_protocol_error(serve: Callable[..., str]) -> None:
    with Client(serve(_PING, _json(b"<html>"))) as client, pytest.raises(ProtocolError, match="not JSON"):
        client.call("GET", "/info")


def test_query_leaves_out_what_is_not_set() -> None:
    assert query_string({"a": True, "b": None, "c": "", "d": ["x y", "é"], "e": 0}) == "?a=1&d=x%20y&d=%C3%A9&e=0"


def test_name_cannot_break_out_of_its_path() -> None:
    assert quote("../x?y#z\r\n") == "..%2Fx%3Fy%23z%0D%0A"
