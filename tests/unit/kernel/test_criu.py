"""What CRIU is told; that it does it is seen in tests/root/runtime/test_checkpoint.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from wharf.errors import Unavailable
from wharf.kernel import criu
from wharf.lib import protobuf

_ANSWERS = """#!{python}
import socket, sys
sys.path.insert(0, {source!r})
from wharf.lib import protobuf
sock = socket.socket(fileno=int(sys.argv[2]))
request = protobuf.decode(sock.recv(65536))
{body}
"""


def test_options_are_a_message_by_their_numbers() -> None:
    options = {"pid": 7, "leave_running": True, "ext_mnt": [("/a", "/b"), ("/c", "/d")], "log_file": "dump.log"}

    pairs = [protobuf.encode([(1, "/a"), (2, "/b")]), protobuf.encode([(1, "/c"), (2, "/d")])]
    expected = [(2, 7), (3, 1), (23, pairs[0]), (23, pairs[1]), (10, "dump.log")]
    assert criu.encode(options) == protobuf.encode(expected)
    assert criu.encode({"cg_root": [(None, "/box")]}) == protobuf.encode([(25, protobuf.encode([(2, "/box")]))])


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(KeyError):
        criu.encode({"nonsense": 1})


def _fake(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    source = str(Path(__file__).parents[3] / "src")
    (folder / "criu").write_text(_ANSWERS.format(python=sys.executable, source=source, body=body))
    (folder / "criu").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def _ask(folder: Path, **more: object) -> int:
    return criu.ask("restore", {"pid": 1}, (str(folder), str(folder)), **more)  # type: ignore[arg-type]  # a test's


def test_it_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unavailable, match="criu is not installed"):
        _ask(tmp_path)


def test_another_one_can_be_named_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake(tmp_path, monkeypatch, "sock.send(protobuf.encode([(1, 2), (2, 1), (4, protobuf.encode([(1, 7)]))]))")
    (tmp_path / "criu").rename(tmp_path / "other")

    assert _ask(tmp_path, program=str(tmp_path / "other")) == 7
    assert criu.find("other") == str(tmp_path / "other")
    with pytest.raises(Unavailable, match="/nowhere/criu is not installed"):
        _ask(tmp_path, program="/nowhere/criu")


def test_what_it_restored_is_returned_after_its_notices_were_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (
        "sock.send(protobuf.encode([(1, 6), (2, 1), (5, protobuf.encode([(1, 'post-restore'), (2, 42)]))]))\n"
        "assert protobuf.decode(sock.recv(100)) == {1: 6, 3: 1}\n"
        "sock.send(protobuf.encode([(1, 2), (2, 1), (4, protobuf.encode([(1, 42)]))]))"
    )
    _fake(tmp_path, monkeypatch, body)
    heard: list[tuple[str, int]] = []

    assert _ask(tmp_path, notify=lambda notice: heard.append((notice.name, notice.pid))) == 42
    assert heard == [("post-restore", 42)]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sock.send(protobuf.encode([(1, 2), (2, 0), (7, 1)]))", "Operation not permitted"),
        ("sock.send(protobuf.encode([(1, 2), (2, 0), (9, 'too old')]))", "too old"),
        ("sys.exit(1)", "ended without an answer"),
    ],
)
def test_its_failure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, said: str) -> None:
    _fake(tmp_path, monkeypatch, body)

    with pytest.raises(criu.Failed, match=said):
        _ask(tmp_path)


def test_what_cannot_be_prepared_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake(tmp_path, monkeypatch, "")

    with pytest.raises(criu.Failed, match="could not be started: no room"):
        _ask(tmp_path, prepare=_no_room)


def _no_room() -> None:
    raise OSError("no room")
