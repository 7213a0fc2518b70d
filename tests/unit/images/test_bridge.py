from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future

import pytest

from wharf.errors import Unavailable
from wharf.images.bridge import Blocking, Incoming

Schedule = Callable[[Coroutine[object, object, bytes], asyncio.AbstractEventLoop], "Future[bytes]"]


async def _chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def _never() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


def _all(source: Incoming) -> bytes:
    return b"".join(iter(lambda: source.read(3), b""))


def test_a_stream_is_read_to_its_end() -> None:
    assert asyncio.run(Blocking().run_with(_chunks(b"four", b"", b"five"), _all)) == b"fourfive"


def test_work_that_is_given_up_is_waited_for_and_its_reads_fail() -> None:
    said: list[str] = []
    begun = threading.Event()

    def work(source: Incoming) -> None:
        begun.set()
        try:
            source.read(1)
        except Unavailable as error:
            said.append(str(error))

    async def main() -> None:
        task = asyncio.ensure_future(Blocking().run_with(_never(), work))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert said == ["the request was cancelled"]


def _before(schedule: Schedule, loop: asyncio.AbstractEventLoop, abandon: Callable[[], None]) -> Schedule:
    """Abandon when the thread has seen that nobody did, and not yet said that it waits."""

    def late(reading: Coroutine[object, object, bytes], where: asyncio.AbstractEventLoop) -> Future[bytes]:
        _on(loop, abandon)
        return schedule(reading, where)

    return late


def _behind(schedule: Schedule, loop: asyncio.AbstractEventLoop, abandon: Callable[[], None]) -> Schedule:
    """Abandon when the loop has begun to read for the thread, and the thread has not yet heard what it waits for."""

    def early(reading: Coroutine[object, object, bytes], where: asyncio.AbstractEventLoop) -> Future[bytes]:
        scheduled = schedule(reading, where)
        _on(loop, abandon)
        return scheduled

    return early


def _on(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    done = threading.Event()
    loop.call_soon_threadsafe(lambda: (act(), done.set()))
    done.wait()


@pytest.mark.parametrize("when", [_before, _behind])
def test_giving_up_at_any_instant_of_a_read_ends_it(
    when: Callable[..., Schedule], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        source = Incoming(_never(), loop)
        monkeypatch.setattr(
            asyncio, "run_coroutine_threadsafe", when(asyncio.run_coroutine_threadsafe, loop, source.abandon)
        )
        with pytest.raises(Unavailable, match="the request was cancelled"):
            await asyncio.to_thread(source.read, 1)
        await source.aclose()

    asyncio.run(main())
