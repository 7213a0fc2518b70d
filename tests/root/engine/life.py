"""Takes containers through their lives for ever, until it is killed: the victim of ``test_crash.py``."""

from __future__ import annotations

import asyncio
import sys

import wharf


async def live(root: str) -> None:
    async with wharf.Engine(root) as engine:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        number = 0
        while True:
            number += 1
            await engine.containers.create(
                {
                    "Image": "busybox",
                    "Cmd": ["sleep", "60"],
                    "ExposedPorts": {"80/tcp": {}},
                    "HostConfig": {
                        "NetworkMode": "bridge" if number % 2 else "none",
                        "Memory": 32 << 20,
                        "PortBindings": {"80/tcp": [{"HostPort": "0"}]} if number % 2 else {},
                        "Binds": ["/data"],
                    },
                },
                name=f"life{number}",
            )
            await engine.containers.start(f"life{number}")
            exec_id = await engine.execs.create(f"life{number}", {"Cmd": ["true"]})
            await engine.execs.start(exec_id, detach=True, tty=False, console_size=None)
            await engine.containers.pause(f"life{number}")
            await engine.containers.unpause(f"life{number}")
            await engine.containers.kill(f"life{number}")
            await engine.containers.remove(f"life{number}", volumes=True)


asyncio.run(live(sys.argv[1]))
