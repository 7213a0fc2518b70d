from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from wharf.build.graph.operations import Exec
from wharf.build.operations.exec import Wreck
from wharf.build.operations.results import Folder, Layers, Unfinished
from wharf.engine.buildkit.wreckage import Wreckage


def test_what_is_left_and_the_layers_below_it_stay_until_the_end() -> None:
    told: list[str] = []

    @contextmanager
    def hold(chain_id: str) -> Iterator[None]:
        told.append(f"held {chain_id}")
        yield
        told.append(f"released {chain_id}")

    async def body() -> None:
        async with AsyncExitStack() as stack:
            wreckage, held = Wreckage(hold, stack), AsyncExitStack()
            held.callback(told.append, "removed")
            base = Layers("sha256:1")
            wreck = Wreck(
                Exec(("x",)), [base, Folder(Path("/c")), None], [Unfinished(base, Path("/u")), Layers("sha256:2")]
            )
            wreckage.take("sha256:v", wreck, held)
            assert (wreckage.of("sha256:v"), wreckage.of("sha256:w")) == (wreck, None)
            assert told == ["held sha256:1", "held sha256:2"]

    asyncio.run(body())
    assert told[2:] == ["removed", "released sha256:2", "released sha256:1"]
