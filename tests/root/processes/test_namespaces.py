"""Namespaces that the zygote makes for an engine, which has threads and cannot."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from wharf.kernel import netns
from wharf.processes.processes import Processes
from wharf.storage.layout import RunRoot

pytestmark = pytest.mark.root

MAPS = ("0 100000 65536\n", "0 100000 65536\n")


def on_processes(folder: Path, body: Callable[[Processes], Awaitable[None]]) -> None:
    async def main() -> None:
        processes = Processes(RunRoot(folder / "run"))
        try:
            await processes.start()
            await asyncio.wait_for(body(processes), 60)
        finally:
            await processes.aclose()

    asyncio.run(main())


def same(one: int, other: int) -> bool:
    return os.path.sameopenfile(one, other)


def test_a_network_namespace_keeps_its_user_namespace_and_more_are_made_in_that(tmp_path: Path) -> None:
    async def body(processes: Processes) -> None:
        first = await processes.make_namespace(MAPS, network=True)
        user = netns.open_owner(first)
        second = await processes.make_namespace(MAPS, network=True, within=user)
        owner = netns.open_owner(second)
        lone = await processes.make_namespace(MAPS)

        assert same(owner, user)
        assert not same(first, second)
        assert not same(lone, user)
        for fd in (first, user, second, owner, lone):
            os.close(fd)

    on_processes(tmp_path, body)


def test_what_the_kernel_refuses_is_said_and_the_zygote_goes_on(tmp_path: Path) -> None:
    async def body(processes: Processes) -> None:
        with pytest.raises(OSError, match="Invalid argument") as refused:
            await processes.make_namespace(("nonsense\n", "0 0 1\n"))
        assert refused.value.errno == errno.EINVAL
        os.close(await processes.make_namespace(MAPS))

    on_processes(tmp_path, body)


def test_a_malformed_request_is_answered_by_the_end_of_its_socket(tmp_path: Path) -> None:
    async def body(processes: Processes) -> None:
        with pytest.raises(Exception, match="died while it made a namespace"):
            await processes.make_namespace((None, None))  # type: ignore[arg-type]
        os.close(await processes.make_namespace(MAPS))

    on_processes(tmp_path, body)
