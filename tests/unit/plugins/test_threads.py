from __future__ import annotations

import asyncio
import threading

from wharf.plugins.threads import asked


def test_plugins_that_hang_hold_up_nothing_of_the_loops_own() -> None:
    async def main() -> None:
        end = threading.Event()
        hanging = [asyncio.ensure_future(asked(end.wait, 60)) for _ in range(40)]  # more than the loop's threads
        async with asyncio.timeout(30):
            assert await asyncio.to_thread(lambda: "done") == "done"
            assert await asked(pow, 2, exp=5) == 32
        end.set()
        assert await asyncio.gather(*hanging) == [True] * 40

    asyncio.run(main())
