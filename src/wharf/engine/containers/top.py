"""docker top: ps on the host, kept to the container's processes."""

from __future__ import annotations

import asyncio
import os

from wharf.engine.containers.state import require
from wharf.engine.context import Context
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.kernel.cgroup.group import Cgroup
from wharf.kernel.namespace import members
from wharf.kernel.process import run
from wharf.spec.engine_api.container import ContainerTopResponse


async def top(context: Context, ref: str, *, ps_args: str | None) -> ContainerTopResponse:
    """Return the processes of a container as ``ps`` of the host shows them.

    Raises:
        Conflict: it does not run.
        InvalidArgument: ps refuses the arguments, or its output has no PID column.
    """
    container = context.registry.resolve(ref)
    require("top", container.state, container_id=container.id, name=container.name)
    pids = await asyncio.to_thread(_pids, context.cgroup_of(container), container.state.pid)
    arguments = (ps_args or "-ef").split()
    try:
        done = await asyncio.to_thread(run, ["ps", *arguments], environment=_environment())
    except FileNotFoundError as error:
        raise NotImplementedHere("docker top needs ps on the host: install the package procps") from error
    if done.code:
        raise InvalidArgument(f"ps: {done.stderr.decode(errors='replace').strip()}")
    return parse(done.stdout.decode(errors="replace"), set(pids))


def _pids(cgroup: Cgroup, init: int) -> list[int]:
    """Return a container's processes: those of its group, or where there is none, those of its pid namespace."""
    return cgroup.procs() if cgroup.exists else members("pid", init)


def _environment() -> dict[str, str]:
    """Return ours without COLUMNS, at which ps would cut its lines off."""
    return {name: value for name, value in os.environ.items() if name != "COLUMNS"}


def parse(output: str, pids: set[int]) -> ContainerTopResponse:
    """Return ps's ``output`` as a table of the rows whose PID is in ``pids``. Pure.

    Raises:
        InvalidArgument: there is no PID column.
    """
    lines = output.splitlines()
    titles = lines[0].split() if lines else []
    if "PID" not in titles:
        raise InvalidArgument("Couldn't find PID field in ps output")
    column = titles.index("PID")
    rows = [line.split(None, len(titles) - 1) for line in lines[1:]]
    return {
        "Titles": titles,
        "Processes": [r for r in rows if len(r) > column and r[column].isdigit() and int(r[column]) in pids],
    }
