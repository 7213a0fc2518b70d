"""RUN --mount, each type, through a whole build: what a command sees, and what of it stays."""

from __future__ import annotations

from collections.abc import Callable

from tests.root.engine.builds.conftest import Body, build, builds, error, on_engine, root, told

import wharf

__all__ = ["builds", "on_engine", "root"]
Run = Callable[[Body], None]


def test_stages_and_contexts_are_seen_and_not_kept(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        lines = await build(
            engine,
            "FROM busybox AS a\nRUN mkdir -p /s/d && echo 1 > /s/d/f && ln -s s /link\n"
            "RUN echo 2 > /s/g; rm -r /s/d; mkdir /s/d\n"
            "FROM busybox\n"
            "RUN --mount=from=a,source=/link,target=/m --mount=target=/c --mount=from=a,source=/s/g,target=/g"
            " ls /m /m/d /c; cat /g; echo x > /m/no || echo read-only\n"
            "RUN --mount=from=a,target=/m,rw echo 3 > /m/s/g && cat /m/s/g; ls /m\n",
            {"f": "ctx"},
        )
        text = told(lines)

        assert error(lines) == ""
        assert "/c:\nDockerfile\nf\n" in text
        assert "/m:\nd\ng\n" in text
        assert "/m/d:\n2\n" in text
        assert "read-only\n" in text
        assert (await engine.run("made", ["ls", "-a", "/m"])).exit_code == 1

    builds(body)


def test_a_tmpfs_has_the_mode_of_the_folder_it_hides_and_is_anybodys_where_there_was_none(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        lines = await build(
            engine,
            "FROM busybox\nRUN mkdir -m 0750 /there && ln -s there /link\n"
            "RUN --mount=type=tmpfs,target=/link --mount=type=tmpfs,target=/new/one"
            " stat -c '%n %a' /there /new/one; mknod /there/gone c 1 3 && echo into > /there/gone\n",
        )
        assert error(lines) == ""
        assert "/there 750\n/new/one 1777\n" in told(lines)
        assert (await engine.run("made", ["ls", "/there"])).stdout == b""

    builds(body)


def test_a_cache_is_kept_from_build_to_build_and_never_in_the_image(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        for number in (1, 2):
            lines = await build(
                engine,
                "FROM busybox\nRUN --mount=type=cache,target=/c,uid=5,mode=0750"
                f" echo {number} >> /c/f; cat /c/f; stat -c '%u %a' /c",
            )
            assert "5 750" in told(lines)
        assert "1\n2\n" in told(lines)
        assert (await engine.run("made", ["ls", "/c"])).stdout == b""

    builds(body)


def test_a_cache_can_start_from_a_stage(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        lines = await build(
            engine,
            "FROM busybox AS a\nRUN mkdir /s && echo first > /s/f\n"
            "FROM busybox\nRUN --mount=type=cache,from=a,source=/s,target=/c,sharing=locked cat /c/f\n",
        )
        assert "first\n" in told(lines)

    builds(body)


def test_a_secret_that_is_required_has_to_be_there(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        optional = await build(engine, "FROM busybox\nRUN --mount=type=secret,id=s ls /run/secrets/s || echo none")
        required = await build(engine, "FROM busybox\nRUN --mount=type=secret,id=s,required cat /run/secrets/s")
        agent = await build(engine, "FROM busybox\nRUN --mount=type=ssh,required true")

        assert "none\n" in told(optional)
        assert error(required) == "secret s: not found"
        assert error(agent) == 'no SSH key "default" forwarded from the client'

    builds(body)


def test_a_source_that_is_missing_is_told(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        lines = await build(engine, "FROM busybox\nRUN --mount=source=/none,target=/x true")

        assert error(lines) == 'failed to compute cache key: "/none": not found'

    builds(body)
