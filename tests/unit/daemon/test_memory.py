from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from wharf.daemon import memory
from wharf.kernel import malloc


def test_what_nobody_needs_is_not_loaded_by_what_comes_after() -> None:
    program = (
        "from wharf.daemon import memory; memory.stay_small(); import mimetypes, aiohttp; print(mimetypes.knownfiles)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_free_memory_is_given_back_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    times, thrice = [0], asyncio.Event()

    def give_back() -> bool:
        times[0] += 1
        if times[0] == 3:
            thrice.set()
        return True

    monkeypatch.setattr(malloc, "give_back", give_back)

    async def until_thrice() -> None:
        giving = asyncio.create_task(memory.give_back_regularly(0))
        await thrice.wait()
        giving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await giving

    asyncio.run(until_thrice())
