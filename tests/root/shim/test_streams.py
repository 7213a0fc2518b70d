"""A container whose log is delivered elsewhere, and waits for that; this side plays the engine that delivers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.root.shim.harness import Bench

from wharf.errors import Unavailable
from wharf.processes.channel import RequestFailed
from wharf.processes.shim import Shim
from wharf.spec import log_parts
from wharf.spec.shim_messages import SpawnRequest

pytestmark = pytest.mark.root
Run = Callable[[Callable[[Bench], Awaitable[None]]], None]
SIZE, FILES = 20_000, 3


def _request(bench: Bench, script: str, *, waits: bool = True) -> SpawnRequest:
    request = bench.request("sh", "-c", script)
    request["log"] |= {
        "max_size_bytes": SIZE, "max_files": FILES, "waits": waits, "cursor": f"{request['bundle']}/cursor",
    }  # fmt: skip
    return request


async def _until_held(shim: Shim) -> bool:
    """Return whether the container waits; else it has ended."""
    while not shim.exited.done():
        try:
            if (await shim._channel.request("delivered"))["held"]:
                return True
        except (RequestFailed, Unavailable):
            await shim.exited
    return False


def _texts(parts: list[log_parts.Part]) -> list[str]:
    return [json.loads(line)["log"].strip() for part in parts for line in Path(part.path).read_text().splitlines()]


def _deliver(request: SpawnRequest, part: log_parts.Part) -> None:
    cursor = Path(request["log"]["cursor"])
    (draft := cursor.with_suffix(".new")).write_text(json.dumps([part.inode, part.size]))
    os.replace(draft, cursor)


def test_nothing_is_lost_however_late_it_is_delivered_and_the_file_stays_bounded(run: Run) -> None:
    async def test(bench: Bench) -> None:
        request = _request(bench, "seq -f '%0500.0f' 1 4000; exit 3")
        shim = await bench.start(request)
        path, taken, largest = request["log"]["path"], [], 0
        while await _until_held(shim):
            parts = log_parts.find(path)
            assert len(parts) == FILES
            largest = max(largest, sum(part.size for part in parts))
            taken += _texts(parts[:1])
            _deliver(request, parts[0])
        [*_, rest] = [log_parts.find(path)]
        undelivered = [part for part in rest if _texts([part])[0] not in taken]

        assert [int(text) for text in taken + _texts(undelivered)] == [*range(1, 4001)]
        assert largest < 250_000  # of 2.3 MB: three parts, each with what one read has brought besides
        assert (await shim.exited)["exit_code"] == 3

    run(test)


def test_a_container_that_waits_can_be_killed_at_once_and_has_its_last_output(run: Run) -> None:
    async def test(bench: Bench) -> None:
        request = _request(bench, "exec seq 1 10000000")
        shim = await bench.start(request)
        assert await _until_held(shim)
        await shim.kill(signal.SIGKILL)
        ended = await shim.exited
        texts = _texts(log_parts.find(request["log"]["path"]))

        assert ended["exit_code"] == 137
        assert texts[:-1] == [str(n) for n in range(1, len(texts))]  # what is not whole is the last line

    run(test)


def test_a_container_that_need_not_wait_does_not(run: Run) -> None:
    async def test(bench: Bench) -> None:
        request = _request(bench, "seq 1 20000", waits=False)
        shim = await bench.start(request)
        assert (await shim.exited)["exit_code"] == 0
        texts = _texts(log_parts.find(request["log"]["path"]))

        assert texts == [str(n) for n in range(20001 - len(texts), 20001)]

    run(test)


def test_what_a_program_has_written_is_in_the_log_once_it_has_been_asked_for(run: Run) -> None:
    async def test(bench: Bench) -> None:
        gate = bench.folder / "gate"
        os.mkfifo(gate)
        request = _request(bench, f"read x < {gate}; echo 1; echo 2 >&2; echo > {gate}; exec sleep 60")
        shim = await bench.start(request)
        before = await shim.drain()
        await asyncio.to_thread(gate.write_text, "go\n")
        await asyncio.to_thread(gate.read_text)
        after = await shim.drain()
        texts = _texts(log_parts.find(request["log"]["path"]))
        await shim.kill(signal.SIGKILL)
        await shim.exited

        assert (before, after, sorted(texts)) == (False, True, ["1", "2"])
        assert await shim.drain()  # nobody is there who knows

    run(test)
