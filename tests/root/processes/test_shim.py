"""The engine's handle on a shim whose connection breaks, though it lives."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from pathlib import Path

import pytest

import wharf

pytestmark = pytest.mark.root


def test_a_shim_that_has_hung_up_and_lives_is_connected_to_anew(stocked: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    subprocess.run(["cp", "-a", stocked, root], check=True)

    async def main() -> None:
        async with wharf.Engine(root) as engine, engine.workspace("busybox") as work:
            (container,) = engine.containers._context.registry
            shim = container.shim
            assert shim is not None
            long = asyncio.create_task(
                work.run(["sh", "-c", "touch /begun; until [ -e /go ]; do sleep 0.02; done; exit 7"])
            )
            await work.run(["sh", "-c", "until [ -e /begun ]; do sleep 0.02; done"])
            channel = shim._channel
            channel._sock.shutdown(socket.SHUT_RDWR)
            while shim._channel is channel:  # noqa: ASYNC110  # nothing announces it
                await asyncio.sleep(0.01)

            assert (await work.run(["sh", "-c", "touch /go; echo hi"])).stdout == b"hi\n"
            assert (await long).exit_code == 7
            assert not shim.exited.done()

    asyncio.run(main())
