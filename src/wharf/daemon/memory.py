"""The daemon's memory: what a large request needed for a moment is not kept for the days that follow."""

from __future__ import annotations

import asyncio
import mimetypes

from wharf.kernel import malloc

EVERY_S = 5.0


def stay_small() -> None:
    """See to it that this process takes no memory for nothing; to be called before it loads what it consists of."""
    malloc.use_one_heap()
    # aiohttp reads them when it is loaded, for files that it could serve: 0.4 MB where a machine has /etc/mime.types.
    mimetypes.knownfiles.clear()


async def give_back_regularly(every_s: float = EVERY_S) -> None:
    """Give free memory back to the kernel every ``every_s`` seconds, until cancelled; it takes half a millisecond."""
    while True:
        await asyncio.sleep(every_s)
        malloc.give_back()
