from __future__ import annotations

from collections.abc import Callable

from tests.root.engine.builds.conftest import Body, build

import wharf

Run = Callable[[Body], None]


def test_results_are_listed_and_pruned(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        await build(engine, "FROM busybox\nRUN echo 1 > /1\nRUN echo 2 > /2")
        assert [record["Description"] for record in await engine.builds.usage()] == [
            "[2/3] RUN echo 1 > /1",
            "[3/3] RUN echo 2 > /2",
        ]
        pruned = await engine.builds.prune({})

        assert len(pruned["CachesDeleted"]) == 2
        assert await engine.builds.usage() == []
        assert (await engine.run("made", ["cat", "/1", "/2"])).stdout == b"1\n2\n"
        await engine.images.remove("made")
        assert engine.builds._context.snapshots.total_size() == (await engine.images.inspect("busybox"))["Size"]

    builds(body)
