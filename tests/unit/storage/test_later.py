from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from wharf.storage.later import Later


def test_work_is_done_together_on_another_thread() -> None:
    async def body() -> list[int]:
        later, done, all_done = Later(pause_s=0), list[int](), threading.Event()
        later.do(lambda: done.append(threading.get_ident()))
        later.do(lambda: done.append(threading.get_ident()))
        later.do(all_done.set)
        assert done == [], "nobody waits for it"
        await asyncio.to_thread(all_done.wait)
        await later.aclose()
        return done

    first, second = asyncio.run(body())
    assert first == second != threading.get_ident()


def test_what_waits_is_done_when_it_closes() -> None:
    async def body() -> list[str]:
        later, done = Later(pause_s=3600), list[str]()
        later.do(lambda: done.append("folder"))
        await later.aclose()
        return done

    assert asyncio.run(body()) == ["folder"]


def test_work_that_fails_is_logged_and_keeps_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise PermissionError("the disk is read-only")

    async def body() -> list[str]:
        later, done = Later(pause_s=0), list[str]()
        later.do(fail)
        later.do(lambda: done.append("second"))
        await later.aclose()
        return done

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(body()) == ["second"]
    assert "the disk is read-only" in caplog.text
