from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.log_plugin import FakeLogPlugin, fake_log_plugin

from wharf.engine.logs.formats import Message
from wharf.engine.logs.plugin import LogPlugin
from wharf.engine.logs.plugin_sink import PluginSink
from wharf.errors import WharfError
from wharf.plugins.calls import Address


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[FakeLogPlugin]:
    with fake_log_plugin(tmp_path / "p.sock") as running:
        yield running


def _sink(folder: Path) -> PluginSink:
    found = LogPlugin(
        "p", Address(f"unix://{folder}/p.sock", timeout_s=5), folder / "streams", str(folder / "streams")
    )
    return PluginSink(lambda: found, {"ContainerID": "c"}, folder / "note")


def _out(line: str, *, partial: bool = False) -> Message:
    return Message(line, "stdout", 10**18, partial=partial)


def test_a_plugin_is_sent_each_line_between_a_start_and_an_end_and_nothing_stays(
    plugin: FakeLogPlugin, tmp_path: Path
) -> None:
    async def main() -> None:
        sink = _sink(tmp_path)
        await sink.send(_out("a"))
        await sink.send(Message("b", "stderr", 5))
        assert [*(tmp_path / "streams").iterdir()] == [
            tmp_path / "streams" / json.loads((tmp_path / "note").read_text())
        ]
        await sink.flush()
        await sink.end()
        await sink.end()

    asyncio.run(main())
    plugin.until(b"a", b"b")
    assert [entry[:3] for entry in plugin.entries] == [(b"a", "stdout", 10**18), (b"b", "stderr", 5)]
    assert plugin.asked == ["StartLogging", "StopLogging"]
    started, stopped = (body for path, body in plugin.plugin.asked if path.startswith("/LogDriver"))
    assert started["Info"] == {"ContainerID": "c"}
    assert stopped == {"File": started["File"]}
    assert [*(tmp_path / "streams").iterdir()] == []
    assert not (tmp_path / "note").exists()


def test_the_parts_of_a_line_are_told_as_such(plugin: FakeLogPlugin, tmp_path: Path) -> None:
    sent: list[bytes] = []

    async def main() -> None:
        sink = _sink(tmp_path)
        for message in (_out("one", partial=True), _out("two", partial=True), _out("three"), _out("whole")):
            part = sink._part(message)
            sent.append(b"" if part is None else b"%d %d" % (part.ordinal, part.last))
            await sink.send(message)
        await sink.end()

    asyncio.run(main())
    assert sent == [b"1 0", b"2 0", b"3 1", b""]


def test_what_a_plugin_had_not_read_when_it_ended_is_sent_again(plugin: FakeLogPlugin, tmp_path: Path) -> None:
    async def main() -> None:
        sink = _sink(tmp_path)
        plugin.reading = False
        for line in ("a", "b", "c"):
            await sink.send(_out(line))
        plugin.crash()
        plugin.reading = True
        with pytest.raises(BrokenPipeError):
            await sink.send(_out("d"))
        await sink.send(_out("d"))
        await sink.flush()
        await sink.end()

    asyncio.run(main())
    plugin.until(b"d")
    assert [entry.line for entry in plugin.entries] == [b"a", b"b", b"c", b"d"]


def test_a_plugin_that_does_not_read_holds_up_who_sends_until_that_is_cancelled(
    plugin: FakeLogPlugin, tmp_path: Path
) -> None:
    plugin.reading = False

    async def main() -> None:
        sink = _sink(tmp_path)
        sending = asyncio.ensure_future(sink.send(_out("x" * 1_000_000)))
        while not plugin.asked:  # noqa: ASYNC110  # nothing announces it
            await asyncio.sleep(0.01)
        await asyncio.wait([sending], timeout=0.2)
        assert not sending.done()
        sending.cancel()
        await asyncio.wait([sending])
        await sink.end()

    asyncio.run(main())
    assert plugin.asked[-1] == "StopLogging"
    assert [*(tmp_path / "streams").iterdir()] == []


def test_a_refusal_is_told_in_the_plugins_words_and_leaves_nothing(plugin: FakeLogPlugin, tmp_path: Path) -> None:
    plugin.plugin.answers["/LogDriver.StartLogging"] = {"Err": "which address?"}
    with pytest.raises(WharfError, match=r"LogDriver\.StartLogging: which address\?"):
        asyncio.run(_sink(tmp_path).open())
    assert [*(tmp_path / "streams").iterdir()] == []
    assert not (tmp_path / "note").exists()


def test_the_stream_of_an_engine_that_was_killed_is_ended_first(plugin: FakeLogPlugin, tmp_path: Path) -> None:
    (tmp_path / "streams").mkdir()
    (tmp_path / "streams" / "old").touch()
    (tmp_path / "note").write_text(json.dumps("old"))

    async def main() -> None:
        sink = _sink(tmp_path)
        await sink.open()
        await sink.end()

    asyncio.run(main())
    assert plugin.asked == ["StopLogging", "StartLogging", "StopLogging"]
    assert plugin.plugin.asked[0][1] == {"File": f"{tmp_path}/streams/old"}
    assert [*(tmp_path / "streams").iterdir()] == []
