from __future__ import annotations

import socket
from pathlib import Path

import pytest
from tests.fakes.plugin import fake_plugin

from wharf.errors import NotFound, Unavailable
from wharf.plugins import finding
from wharf.plugins.calls import Address
from wharf.plugins.finding import find, found


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


def test_a_plugin_says_what_it_is_before_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "find", lambda name: find(name, [tmp_path], []))
    with fake_plugin(tmp_path / "mine.sock") as plugin:
        known: set[tuple[str, str, str]] = set()
        addresses = [found("mine", "VolumeDriver", known=known) for _ in range(2)]

        assert addresses == [Address(f"unix://{tmp_path}/mine.sock")] * 2
        assert plugin.asked == [("/Plugin.Activate", {})]
        with pytest.raises(NotFound, match='plugin "mine" does not implement authz'):
            found("mine", "authz", known=known)
    with pytest.raises(NotFound, match='plugin "nobody" not found'):
        found("nobody", "authz")


def test_the_engines_own_come_first_and_need_not_say_what_they_are() -> None:
    own = Address("unix:///nowhere", name="mine:latest")

    assert found("mine", "VolumeDriver", lambda _: own) == own


@pytest.mark.parametrize("told", [5, "VolumeDriver", {"VolumeDriver": 1}])
def test_a_plugin_that_says_in_another_shape_what_it_is_is_of_no_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: object
) -> None:
    monkeypatch.setattr(finding, "find", lambda name: find(name, [tmp_path], []))
    with fake_plugin(tmp_path / "mine.sock") as plugin:
        plugin.answers["/Plugin.Activate"] = {"Implements": told}
        with pytest.raises(NotFound, match='plugin "mine" does not implement VolumeDriver'):
            found("mine", "VolumeDriver")
