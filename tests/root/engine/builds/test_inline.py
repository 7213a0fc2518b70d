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
