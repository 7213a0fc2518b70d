"""docker wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Final

from wharf.engine.containers.state import State
from wharf.engine.context import Context
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import ContainerWaitResponse

_CONDITIONS: Final[dict[str, Callable[[State], bool]]] = {
    "not-running": lambda state: not state.alive and state.status != "restarting",
    "next-exit": lambda state: state.status in ("exited", "restarting", "dead", "removing"),
    "removed": lambda state: state.status == "dead",
}


async def wait(context: Context, ref: str, *, condition: str) -> Awaitable[ContainerWaitResponse]:
    """Register for ``condition`` now; the awaitable that comes back ends when it is met.

    Raises:
        InvalidArgument: the condition is not not-running, next-exit or removed.
        NotFound: there is no such container.
    """
    satisfied = _CONDITIONS.get(condition or "not-running")
    if satisfied is None:
        raise InvalidArgument(f'invalid condition: "{condition}"')
    container = context.registry.resolve(ref)
    if condition in ("", "not-running") and satisfied(container.state):
        return Ending(container.state)
    return Ending(container.watch(satisfied))


class Ending:
    """A container's end, now or to come; may be awaited, or dropped without a trace."""

    def __init__(self, end: State | asyncio.Future[State]) -> None:
        self._end = end

    def __await__(self) -> Generator[object, None, ContainerWaitResponse]:
        state = self._end if isinstance(self._end, State) else (yield from self._end.__await__())
        return {"StatusCode": state.exit_code}
