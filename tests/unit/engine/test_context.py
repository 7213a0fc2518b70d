from __future__ import annotations

import asyncio

from wharf.engine.context import Background


def test_closing_cancels_what_goes_on_and_waits_for_what_is_to_finish() -> None:
    async def body() -> list[str]:
        background, done = Background(), list[str]()

        async def endless() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                done.append("cancelled")

        async def last() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            done.append("finished")

        background.start(endless(), "endless")
        background.finish(last(), "last")
        await asyncio.sleep(0)
        await background.aclose()
        return done

    assert sorted(asyncio.run(body())) == ["cancelled", "finished"]
