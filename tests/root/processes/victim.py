"""An engine that starts containers one after the other until it is killed; tells each id before it starts it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.root.shim import harness


async def main(folder: str, cgroups: str) -> None:
    harness.CGROUPS = cgroups
    bench = harness.Bench(Path(folder))
    await bench.processes.start()
    while True:
        request = bench.request("sleep", "60")
        sys.stdout.write(request["id"] + "\n")
        sys.stdout.flush()
        await bench.start(request)


asyncio.run(main(sys.argv[1], sys.argv[2]))
