from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.root.engine.builds.conftest import Body, build, error, told
from tests.root.wharfd import until

import wharf
from wharf.errors import InvalidArgument, NotFound, Unavailable

Run = Callable[[Body], None]


def test_an_image_is_built_and_runs(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        lines = await build(
            engine,
            "FROM busybox AS one\nARG v=1\nRUN echo $v $(id -u) > /made\n"
            "FROM busybox\nCOPY --from=one /made /a/\nCOPY <<X file* /a/\nhi\nX\nUSER 5\nWORKDIR /w\n"
            'CMD ["cat", "/a/made", "/a/X", "/a/file1"]\n',
            {"file1": "from the context\n"},
        )

        done = await engine.run("made")
        assert (done.exit_code, done.stdout) == (0, b"1 0\nhi\nfrom the context\n")
        image = next(line["aux"]["ID"] for line in lines if "aux" in line)
        assert f"Successfully built {image[7:19]}" in told(lines)
        assert "Successfully tagged made:latest" in told(lines)

    builds(body)


def test_what_was_done_is_not_done_again_by_another_engine_either(builds: Run, root: Path) -> None:
    text = "FROM busybox\nCOPY a /a\nRUN head -c 8 /dev/urandom | sha256sum > /random\n"

    async def first(engine: wharf.Engine) -> None:
        (root / "image").write_text(json.dumps((await build(engine, text, {"a": "1"}))[-3]))

    async def second(engine: wharf.Engine) -> None:
        lines = await build(engine, text, {"a": "1"})
        assert lines[-3] == json.loads((root / "image").read_text())
        assert told(lines).count("Using cache") == 2
        changed = await build(engine, text, {"a": "2"})
        assert "Using cache" not in told(changed)
        again = await build(engine, text, {"a": "1"}, nocache=True)
        assert again[-3] != lines[-3]

    builds(first)
    builds(second)


def test_a_command_that_fails_ends_the_build_and_leaves_nothing(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        lines = await build(engine, "FROM busybox\nRUN echo so; exit 3\n")

        assert told(lines).endswith("so\n")
        detail = lines[-1]["errorDetail"]
        assert (detail["code"], detail["message"]) == (
            3,
            "The command '/bin/sh -c echo so; exit 3' returned a non-zero code: 3",
        )
        with pytest.raises(NotFound):
            await engine.images.inspect("made")

    builds(body)


def test_what_is_wrong_is_told_before_anything_is_done(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        for text, kind in (
            ("FROM busybox\nRUM x", InvalidArgument),
            ("FROM 127.0.0.1:1/nothing-of-that-name", Unavailable),
            ("FROM busybox AS a\nFROM a", None),
        ):
            if kind is None:
                await build(engine, text)
            else:
                with pytest.raises(kind):
                    await build(engine, text)
        with pytest.raises(InvalidArgument, match="Cannot locate specified Dockerfile: other"):
            await build(engine, "FROM scratch", dockerfile="other")

    builds(body)


def test_a_source_that_is_missing_fails_its_step(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        assert error(await build(engine, "FROM busybox\nCOPY none /x")) == (
            'failed to compute cache key: "/none": not found'
        )

    builds(body)


def test_a_build_that_is_given_up_ends_its_commands(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        working = asyncio.ensure_future(build(engine, "FROM busybox\nRUN echo began; sleep 1000"))
        shims = engine.builds._context.run.shims
        await asyncio.to_thread(until, lambda: list(shims.iterdir()))
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

        assert list(shims.iterdir()) == []

    builds(body)


def test_independent_stages_are_done_at_once_and_unneeded_ones_never(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        meet = (
            "RUN --mount=type=cache,target=/c,id=meet touch /c/%s; while [ ! -e /c/%s ]; do :; done; echo %s > /%s\n"
        )
        lines = await build(
            engine,
            "FROM busybox AS a\n"
            + meet % (1, 2, 1, 1)
            + "FROM busybox AS b\n"
            + meet % (2, 1, 2, 2)
            + "FROM busybox AS never\nRUN exit 1\n"
            "FROM busybox\nCOPY --from=a /1 /1\nCOPY --from=b /2 /2\n",
        )

        assert error(lines) == ""

    builds(body)
