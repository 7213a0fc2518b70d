"""Takes containers through their lives for ever, until it is killed: the victim of ``test_crash.py``."""

from __future__ import annotations

import asyncio
import sys
from itertools import count

from tests.root import life

import wharf


async def live(root: str, first: int) -> None:
    async with wharf.Engine(root) as engine:
        for number in count(first):
            for step in life.STEPS:
                sys.stdout.write(f"{step}\n")
                sys.stdout.flush()
                await act(engine, step, number)


async def act(engine: wharf.Engine, step: str, number: int) -> None:
    name = life.name(number)
    match step:
        case "create":
            await engine.containers.create(life.document(number), name=name)
        case "exec":
            exec_id = await engine.execs.create(name, {"Cmd": ["true"]})
            await engine.execs.start(exec_id, detach=True, tty=False, console_size=None)
        case "restart":
            await engine.containers.restart(name, timeout_s=0)
        case "remove":
            await engine.containers.remove(name, volumes=True)
        case _:
            await getattr(engine.containers, step)(name)


asyncio.run(live(sys.argv[1], int(sys.argv[2])))
