from __future__ import annotations

import asyncio
import json
import socket
import threading
from contextlib import AsyncExitStack
from pathlib import Path

from wharf.cli.build.lending import lend, serve
from wharf.client.client import Client
from wharf.client.http1 import Wire
from wharf.errors import NotFound


class _Engine(Client):
    """One that answers as it is told."""

    def __init__(self, host: str, answer: Wire | Exception) -> None:
        super().__init__(host)
        self.asked: list[str] = []
        self._answer = answer

    def hijack(self, path: str, **_: object) -> Wire:  # type: ignore[override]  # what it is asked for, alone
        self.asked.append(path)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def _lend(engine: _Engine, folders: dict[str, str]) -> None:
    async def body() -> None:
        async with AsyncExitStack() as stack:
            await lend(stack, engine, "s1", folders)

    asyncio.run(body())


def test_folders_are_lent_until_the_end_to_an_engine_on_this_machine(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    engine = _Engine("unix:///run/e.sock", Wire(theirs))
    _lend(engine, {"context": str(tmp_path)})

    assert (engine.asked, ours.recv(1)) == (["/wharf/sessions/s1/folders"], b"")
    ours.close()


def test_an_engine_elsewhere_or_of_another_kind_is_lent_nothing() -> None:
    far, other = _Engine("tcp://engine:1", NotFound("")), _Engine("unix:///run/e.sock", NotFound("page not found"))
    for engine in (far, other):
        _lend(engine, {"context": "/"})

    assert (far.asked, len(other.asked)) == ([], 1)


def test_a_file_that_has_gone_is_told_of_and_the_next_folder_is_lent(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    asked = json.dumps({"folder": "context", "include": [], "exclude": [], "follow": []}).encode() + b"\n"
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=serve, args=(Wire(theirs), {"context": str(tmp_path)}))
    thread.start()
    with ours, ours.makefile("rb") as lines:
        ours.sendall(asked)
        [entry] = json.loads(lines.readline())
        assert (entry[0], json.loads(lines.readline())) == ("f", [])
        (tmp_path / "f").unlink()
        ours.sendall(b"[0]\n")
        assert json.loads(lines.readline()) == {"error": f"open {tmp_path}/f: no such file or directory"}
        ours.sendall(asked)
        assert json.loads(lines.readline()) == []
    thread.join()
    theirs.close()
