from __future__ import annotations

import os

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
