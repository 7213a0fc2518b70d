from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from tests.root.engine.builds.conftest import Body, build, told

import wharf
from wharf.engine.builds.inline import inline_cache, inline_imports

TEXT = "FROM busybox\nRUN echo one > /one\nRUN echo two > /two\n"


def test_the_old_builder_takes_results_of_an_image_that_says_how_it_was_made(builds: Callable[[Body], None]) -> None:
    async def body(engine: wharf.Engine) -> None:
        from tests.root.engine.buildkit.conftest import connected  # another door of the same engine

        async with connected(engine) as client:
            request = client.request(TEXT)
            request.FrontendAttrs["build-arg:BUILDKIT_INLINE_CACHE"] = "1"
            await client.solve(request)
        await engine.builds.prune({})
        lines = await build(engine, TEXT, t=["other"], cachefrom=["made", "nothing"])
        assert told(lines).count("Using cache") == 2
        await engine.builds.prune({})
        assert "Using cache" not in told(await build(engine, TEXT, t=["other"]))

    builds(body)


def test_images_that_say_nothing_have_no_part_in_it(builds: Callable[[Body], None]) -> None:
    async def body(engine: wharf.Engine) -> None:
        context = engine.builds._context
        for name in ("busybox", "nothing", "a:b:c"):
            with inline_cache(context, name) as image:
                assert image is None
        with ExitStack() as held:
            assert (await inline_imports(context, ["busybox"], held)).find(["k#0"]) is None

    builds(body)


def test_any_image_that_the_old_builder_made_is_a_cache(builds: Callable[[Body], None]) -> None:
    async def body(engine: wharf.Engine) -> None:
        made = (await build(engine, TEXT))[-3]["aux"]["ID"]
        await build(engine, "FROM made\nLABEL a=b\n", t=["child"])
        await engine.builds.prune({})
        assert "Using cache" not in told(await build(engine, TEXT, t=["other"], cachefrom=["child"]))
        await engine.builds.prune({})
        assert told(await build(engine, TEXT, t=["other"], cachefrom=[made])).count("Using cache") == 2

    builds(body)


def test_with_a_time_of_its_own_an_image_is_the_same_each_time(builds: Callable[[Body], None]) -> None:
    async def body(engine: wharf.Engine) -> None:
        options = {"nocache": True, "buildargs": {"SOURCE_DATE_EPOCH": "1000000000"}}
        text = "FROM busybox\nRUN true\n"
        one, two = [(await build(engine, text, **options))[-3]["aux"]["ID"] for _ in range(2)]
        assert one == two

    builds(body)
