from __future__ import annotations

import http.client
import socket
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from tests.fakes.plugin import fake_plugin

from wharf.errors import NotImplementedHere, Unavailable, WharfError
from wharf.plugins.calls import Address, call, streamed


def test_a_plugin_is_asked_and_its_error_is_told(tmp_path: Path) -> None:
    address = Address(f"unix://{tmp_path}/a.sock")
    with fake_plugin(tmp_path / "a.sock") as plugin:
        plugin.answers = {"/Kind.Verb": {"Said": "yes"}, "/Kind.Other": {"Err": "no space"}}

        assert call("plugin a", address, "/Kind.Verb", {"A": 1}) == {"Said": "yes"}
        with pytest.raises(WharfError, match=r"Kind\.Other: no space"):
            call("plugin a", address, "/Kind.Other", {})
        assert plugin.asked == [("/Kind.Verb", {"A": 1}), ("/Kind.Other", {})]


def test_one_of_the_engines_own_is_waited_for_while_it_is_started_anew(tmp_path: Path) -> None:
    with ExitStack() as started:
        later = threading.Timer(0.05, lambda: started.enter_context(fake_plugin(tmp_path / "a.sock")))
        later.start()

        assert call("plugin a", Address(f"unix://{tmp_path}/a.sock", name="a:latest"), "/Kind.Verb", {}) == {}
        later.join()


def test_one_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"the plugin a does not answer at unix://.*a\.sock"):
        call("plugin a", Address(f"unix://{tmp_path}/a.sock"), "/Kind.Verb", {})


def _raw_plugin(path: Path, said: bytes, *, pause_s: float = 0) -> threading.Thread:
    """Answer one call with ``said``, byte by byte when there is a pause."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1)

    def serve() -> None:
        with listener, listener.accept()[0] as stream, suppress(OSError):
            while not stream.recv(65536).endswith(b"{}"):
                pass
            for piece in [said[n : n + 1] for n in range(len(said))] if pause_s else [said]:
                stream.sendall(piece)
                time.sleep(pause_s)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def _answer(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)


@pytest.mark.parametrize(
    ("said", "error", "text"),
    [
        (_answer(b"[1, 2]"), WharfError, r"Kind\.Verb: the plugin a answers with what is no JSON object: \[1, 2\]"),
        (_answer(b"<html>"), WharfError, "no JSON object: <html>"),
        (_answer(b'{"a": ' * 100_000), WharfError, "no JSON object"),
        (_answer(b"nothing here", "500 Oh"), WharfError, r"Kind\.Verb: nothing here"),
        (_answer(b'{"Err": "full"}', "400 No"), WharfError, r"Kind\.Verb: full"),
        (_answer(b"404 page not found", "404 Not Found"), NotImplementedHere, r"Kind\.Verb: the plugin a does not"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", Unavailable, "the plugin a does not answer"),
        (b"", Unavailable, "the plugin a does not answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Unavailable, "the plugin a does not answer"),
        (_answer(b'{"a": "' + b"x" * (16 << 20)), Unavailable, r"answers Kind\.Verb with more than 16 MiB"),
    ],
)
def test_what_is_no_answer_is_told_in_one_error(
    tmp_path: Path, said: bytes, error: type[Exception], text: str
) -> None:
    serving = _raw_plugin(tmp_path / "a.sock", said)
    with pytest.raises(error, match=text):
        call("plugin a", Address(f"unix://{tmp_path}/a.sock"), "/Kind.Verb", {})
    serving.join()


def test_an_answer_that_comes_byte_by_byte_has_only_the_plugins_time(tmp_path: Path) -> None:
    serving = _raw_plugin(tmp_path / "a.sock", _answer(b'{"a": 1}') * 1000, pause_s=0.05)
    began = time.monotonic()
    with pytest.raises(Unavailable, match="timed out"):
        call("plugin a", Address(f"unix://{tmp_path}/a.sock", timeout_s=1), "/Kind.Verb", {})
    assert time.monotonic() - began < 30  # one recv would have waited for ever again
    serving.join()


def test_what_comes_as_a_stream_may_take_its_time_and_can_be_left_from_another_thread(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "a.sock"))
    listener.listen(1)
    done = threading.Event()

    def serve() -> None:
        with listener, listener.accept()[0] as stream:
            stream.recv(65536)
            stream.sendall(head)
            done.wait(60)

    serving = threading.Thread(target=serve)
    serving.start()
    address = Address(f"unix://{tmp_path}/a.sock", timeout_s=1)
    with streamed("plugin a", address, "/Kind.Verb", {}) as (read, abandon):
        assert read(100) == b"abc"
        threading.Timer(0.05, abandon).start()
        with suppress(OSError, http.client.HTTPException):
            assert read(100) == b""
    done.set()
    serving.join()


@pytest.mark.parametrize(
    "address",
    [Address("https://localhost:1", {"CAFile": "/nowhere/ca.pem"}), Address("tcp://localhost:99999")],
    ids=["certificates that are not there", "a port that is none"],
)
def test_a_description_that_leads_nowhere_is_told_as_the_plugins(address: Address) -> None:
    with pytest.raises(Unavailable, match="the plugin a does not answer"):
        call("plugin a", address, "/Kind.Verb", {})
