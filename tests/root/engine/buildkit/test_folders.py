from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

from tests.fakes.lending import lending, saying
from tests.root.engine.buildkit.conftest import Run, connected

import wharf

TEXT = "FROM busybox\nCOPY . /c\nCMD cat /c/f7\n"


def test_a_second_build_is_sent_only_what_changed(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        files = {f"f{number}": b"%d" % number for number in range(50)}
        async with connected(engine) as client:
            client.fake.folders["context"] = files
            await client.build(TEXT)
            assert len(client.fake.sent) == 1 + 50
        async with connected(engine) as client:
            client.fake.folders["context"] = {**files, "f7": b"other"}
            await client.build(TEXT)
            assert client.fake.sent == ["Dockerfile", "f7"]
        assert (await engine.run("made")).stdout == b"other"

    builds(body)


def test_a_build_that_fails_keeps_no_context_and_leaves_nothing(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            client.fake.folders["context"] = {"f7": b"x"}
            try:
                await client.build(TEXT + "RUN exit 1\n")
            except wharf.errors.WharfError:
                kept = engine.builds._context.data.build_contexts
                assert not kept.exists() or os.listdir(kept) == []
            else:
                raise AssertionError

    builds(body)


def test_a_client_on_this_machine_lends_files_where_descriptors_come_through(builds: Run, tmp_path: Path) -> None:
    (tmp_path / "f7").write_text("lent")
    (tmp_path / "Dockerfile").write_text(TEXT)

    async def built(engine: wharf.Engine, answer: Callable[[socket.socket], None]) -> tuple[list[str], bytes]:
        async with connected(engine) as client:
            client.fake.folders = {"context": {"f7": b"sent"}, "dockerfile": {"Dockerfile": TEXT.encode()}}
            ours, theirs = socket.socketpair()

            async def connect() -> socket.socket:
                return ours

            with theirs:
                answering = asyncio.create_task(asyncio.to_thread(answer, theirs))
                await engine.builds.lend_folders(client.session, connect)
                await client.solve(client.request())
                theirs.shutdown(socket.SHUT_RDWR)
                await answering
        return client.fake.sent, (await engine.run("made")).stdout

    async def body(engine: wharf.Engine) -> None:
        assert await built(engine, lending({"context": tmp_path, "dockerfile": tmp_path})) == ([], b"lent")
        told: list[object] = [["Dockerfile", stat.S_IFREG | 0o644, 1, 1, "", 0]]
        sent, out = await built(engine, saying(told, [], []))  # something that carries bytes alone
        assert (sent, out) == (["Dockerfile", "f7"], b"sent")

    builds(body)
