from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path

import pytest
from tests.fakes.plugin import fake_plugin

from wharf.engine.containers.plugin_reads import lines, wanted
from wharf.engine.logs.entries import Entry, pack
from wharf.engine.logs.plugin import LogPlugin
from wharf.errors import DataLoss, Unavailable
from wharf.plugins.calls import Address

ALL = wanted(None, None, None, follow=False)


def _plugin(folder: Path) -> LogPlugin:
    return LogPlugin("p", Address(f"unix://{folder}/p.sock"), folder, str(folder))


async def _read(plugin: LogPlugin) -> list[str]:
    return [line["log"] async for line in lines(plugin, {"ContainerID": "c"}, ALL)]


def test_times_and_numbers_are_asked_for_as_go_has_them() -> None:
    assert ALL == {"Since": "0001-01-01T00:00:00Z", "Until": "0001-01-01T00:00:00Z", "Tail": -1, "Follow": False}
    asked = wanted(10**9, None, 5, follow=True)
    assert (asked["Since"], asked["Tail"], asked["Follow"]) == ("1970-01-01T00:00:01.000000000Z", 5, True)


def test_what_a_plugin_has_kept_comes_line_by_line(tmp_path: Path) -> None:
    with fake_plugin(tmp_path / "p.sock", "LogDriver") as server:
        server.answers["/LogDriver.ReadLogs"] = pack(Entry(b"a\n", "stdout", 1)) + pack(Entry(b"b\n", "stderr", 2))
        assert asyncio.run(_read(_plugin(tmp_path))) == ["a\n", "b\n"]
        assert server.asked == [("/LogDriver.ReadLogs", {"Info": {"ContainerID": "c"}, "Config": ALL})]


@pytest.mark.parametrize("told", [pack(Entry(b"a", "stdout", 1))[:-1], b"\xff" * 8, b"\0\0\0\1\xff"])
def test_what_is_no_log_is_told_in_one_error(tmp_path: Path, told: bytes) -> None:
    with fake_plugin(tmp_path / "p.sock", "LogDriver") as server:
        server.answers["/LogDriver.ReadLogs"] = told
        with pytest.raises(DataLoss):
            asyncio.run(_read(_plugin(tmp_path)))


def test_who_follows_a_plugin_that_says_no_more_can_leave(tmp_path: Path) -> None:
    entry = pack(Entry(b"a", "stdout", 1))
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(entry), entry)
    hung_up = threading.Event()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "p.sock"))
    listener.listen(1)

    def serve() -> None:
        with listener, listener.accept()[0] as stream:
            stream.recv(65536)
            stream.sendall(said)
            while stream.recv(65536):
                pass
            hung_up.set()

    async def main() -> None:
        following = lines(_plugin(tmp_path), {}, ALL)
        assert (await anext(following))["log"] == "a"
        waiting = asyncio.ensure_future(anext(following))
        await asyncio.wait([waiting], timeout=0.05)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert await asyncio.to_thread(hung_up.wait, 60)

    serving = threading.Thread(target=serve)
    serving.start()
    asyncio.run(main())
    serving.join()


def test_a_plugin_that_breaks_off_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="the log plugin p does not answer"):
        asyncio.run(_read(_plugin(tmp_path)))
