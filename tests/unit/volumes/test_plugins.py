"""Plugins of our own making: found where the protocol says, and spoken to as it says."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from typing import Any

import pytest

from wharf.errors import NotFound, Unavailable, WharfError
from wharf.volumes.plugins import Address, PluginDriver, find
from wharf.volumes.rows import Row

ROW = Row("v", "", {}, "mine", {"a": "b"})


class Plugin(UnixStreamServer):
    """Answers with what a test put in, and remembers what it was asked."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Handler)
        self.answers: dict[str, Any] = {"/Plugin.Activate": {"Implements": ["VolumeDriver"]}}
        self.asked: list[tuple[str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    server: Plugin

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        raw = json.dumps(self.server.answers.get(self.path, {})).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def address_string(self) -> str:
        return "a client"

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[Plugin]:
    server = Plugin(tmp_path / "mine.sock")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def driver(plugin: Plugin) -> PluginDriver:
    return PluginDriver("mine", Address(f"unix://{plugin.server_address}"))


def test_a_plugin_is_found_by_its_socket_then_by_its_specification(tmp_path: Path) -> None:
    sockets, specs = tmp_path / "run", tmp_path / "etc"
    (sockets / "deep").mkdir(parents=True)
    specs.mkdir()
    (specs / "told.spec").write_text("tcp://127.0.0.1:1\n")
    (specs / "whole.json").write_text('{"Name": "whole", "Addr": "tcp://h:2", "TLSConfig": {"CAFile": "/ca"}}')
    (specs / "bad.json").write_text("{")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(sockets / "deep/deep.sock"))
        found = [find(name, [sockets], [specs]) for name in ("deep", "told", "whole", "nobody", "../etc/told")]

    assert found == [
        Address(f"unix://{sockets}/deep/deep.sock"),
        Address("tcp://127.0.0.1:1"),
        Address("tcp://h:2", {"CAFile": "/ca"}),
        None,
        None,
    ]
    with pytest.raises(Unavailable, match="specification"):
        find("bad", [sockets], [specs])


def test_verbs_are_the_protocols(plugin: Plugin, tmp_path: Path) -> None:
    plugin.answers |= {
        "/VolumeDriver.Capabilities": {"Capabilities": {"Scope": "global"}},
        "/VolumeDriver.Mount": {"Mountpoint": "/mnt/v"},
        "/VolumeDriver.Get": {"Volume": {"Name": "v", "Mountpoint": "/mnt/v", "Status": {"up": True}}},
    }
    mine = driver(plugin)
    mine.create(ROW)
    place, shown = mine.mount(ROW, "c1"), mine.show(ROW)
    mine.unmount(ROW, "c1", 0)
    mine.remove(ROW)

    assert (mine.scope, place, shown.path, shown.status) == ("global", "/mnt/v", "/mnt/v", {"up": True})
    assert plugin.asked == [
        ("/Plugin.Activate", {}),
        ("/VolumeDriver.Capabilities", {}),
        ("/VolumeDriver.Create", {"Name": "v", "Opts": {"a": "b"}}),
        ("/VolumeDriver.Mount", {"Name": "v", "ID": "c1"}),
        ("/VolumeDriver.Get", {"Name": "v"}),
        ("/VolumeDriver.Unmount", {"Name": "v", "ID": "c1"}),
        ("/VolumeDriver.Remove", {"Name": "v"}),
    ]


def test_what_a_plugin_says_is_told(plugin: Plugin) -> None:
    plugin.answers["/VolumeDriver.Create"] = {"Err": "no room"}
    with pytest.raises(WharfError, match=r"VolumeDriver\.Create: no room"):
        driver(plugin).create(ROW)


@pytest.mark.parametrize("place", ["", "relative", None])
def test_a_path_that_is_none_is_refused(plugin: Plugin, place: str | None) -> None:
    plugin.answers["/VolumeDriver.Mount"] = {"Mountpoint": place}
    with pytest.raises(Unavailable, match="told no path for v"):
        driver(plugin).mount(ROW, "c1")


def test_a_plugin_of_another_kind_is_no_driver(plugin: Plugin) -> None:
    plugin.answers["/Plugin.Activate"] = {"Implements": ["authz"]}
    with pytest.raises(NotFound, match="does not implement VolumeDriver"):
        driver(plugin)


def test_a_plugin_that_has_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        PluginDriver("mine", Address(f"unix://{tmp_path}/nobody.sock"))
