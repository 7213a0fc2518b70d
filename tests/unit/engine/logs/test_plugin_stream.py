from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from tests.fakes.log_plugin import fake_log_plugin

from wharf.engine.logs import plugin_stream
from wharf.engine.logs.plugin import Info, LogPlugin
from wharf.plugins.calls import Address


def _plugin(folder: Path) -> LogPlugin:
    return LogPlugin("p", Address(f"unix://{folder}/p.sock"), folder / "streams", str(folder / "streams"))


def test_what_was_written_and_not_read_is_known(tmp_path: Path) -> None:
    async def main() -> None:
        with fake_log_plugin(tmp_path / "p.sock") as plugin:
            plugin.reading = False
            stream = plugin_stream.begin(_plugin(tmp_path), {}, tmp_path / "note")
            for data in (b"one", b"two", b"three"):
                await stream.write(data)
            reader = next(iter(plugin._ends.values()))
            assert os.read(reader, 4) == b"onet"
            assert stream.unread() == [b"two", b"three"]
            assert stream.is_read()
            plugin.crash()
            assert stream.unread() == [b"two", b"three"]
            await stream.drained()  # nobody will read it
            assert not stream.is_read()
            with pytest.raises(BrokenPipeError):
                await stream.write(b"four")
            stream.drop()
            stream.drop()

    asyncio.run(main())
    assert [*(tmp_path / "streams").iterdir()] == []


def test_a_plugin_that_answers_and_opens_nothing_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_stream, "_READER_S", 0.05)
    with fake_log_plugin(tmp_path / "p.sock") as plugin:
        plugin.plugin.answers["/LogDriver.StartLogging"] = {}
        with pytest.raises(BrokenPipeError, match="log plugin p does not open the stream"):
            plugin_stream.begin(_plugin(tmp_path), {}, tmp_path / "note")
    assert [*(tmp_path / "streams").iterdir()] == []


def test_a_plugin_that_puts_a_symlink_in_place_of_its_stream_has_nothing_else_written(tmp_path: Path) -> None:
    victim, streams = tmp_path / "victim", tmp_path / "streams"
    victim.touch()

    class Swapping(LogPlugin):
        __slots__ = ()

        def start(self, stream: str, info: Info) -> None:
            LogPlugin.start(self, stream, info)
            (streams / stream).unlink()
            (streams / stream).symlink_to(victim)

    async def main() -> None:
        with fake_log_plugin(tmp_path / "p.sock") as plugin:
            plugin.reading = False
            own = _plugin(tmp_path)
            swapping = Swapping(own.name, own.address, own.folder, own.seen_as)
            stream = plugin_stream.begin(swapping, {}, tmp_path / "note")
            await stream.write(b"a line")
            assert os.read(next(iter(plugin._ends.values())), 6) == b"a line"
            stream.drop()

    asyncio.run(main())
    assert (victim.read_bytes(), [*streams.iterdir()]) == (b"", [])


@pytest.mark.parametrize("noted", ["../../etc/passwd", 5, "", None])
def test_a_note_that_names_no_stream_is_put_aside(tmp_path: Path, noted: object) -> None:
    (tmp_path / "note").write_text(json.dumps(noted))
    with fake_log_plugin(tmp_path / "p.sock") as plugin:
        plugin_stream.begin(_plugin(tmp_path), {}, tmp_path / "note").stop()
        assert plugin.asked == ["StartLogging", "StopLogging"]
    assert not (tmp_path / "note").exists()


def test_what_a_killed_engine_has_left_is_swept(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "old")
    plugin_stream.sweep(tmp_path)
    plugin_stream.sweep(tmp_path / "none")
    assert [*tmp_path.iterdir()] == []
