"""docker wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Final

from wharf.engine.containers.state import State
from wharf.engine.context import Context
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import ContainerWaitResponse

_CONDITIONS: Final = ("not-running", "next-exit", "removed")


async def wait(context: Context, ref: str, *, condition: str) -> Awaitable[ContainerWaitResponse]:
    """Register for ``condition`` now; the awaitable that comes back ends when it is met.

    Raises:
        InvalidArgument: the condition is not not-running, next-exit or removed.
        NotFound: there is no such container.
    """
    if (condition := condition or "not-running") not in _CONDITIONS:
        raise InvalidArgument(f'invalid condition: "{condition}"')
    container = context.registry.resolve(ref)
    state = container.state
    if condition == "not-running" and not state.alive and state.status != "restarting":
        return Ending(state)
    return Ending(container.watch(_is_removed if condition == "removed" else next_end(state)))


def _is_removed(state: State) -> bool:
    return state.status == "dead"


def next_end(before: State) -> Callable[[State], bool]:
    """Return whether a state that comes after ``before`` is an end, also one that a policy makes a beginning of."""

    def ends(state: State) -> bool:
        ran = state.finished_at != before.finished_at
        over = ran or before.status != "exited"  # else it has ended before, and is about to begin again
        return (
            (state.status == "restarting" and ran)
            or (state.status == "exited" and over)
            or state.status in ("removing", "dead")
        )

    return ends


class Ending:
    """A container's end, now or to come; may be awaited, or dropped without a trace."""

    def __init__(self, end: State | asyncio.Future[State]) -> None:
        self._end = end

    def __await__(self) -> Generator[object, None, ContainerWaitResponse]:
        """Return the exit code; of a container that has ended already, also why it could not be started.

        Who waits for the end to come is not told, as with Docker: a client that starts it hears it from the start.
        """
        if not isinstance(self._end, State):
            return {"StatusCode": (yield from self._end.__await__()).exit_code}
        answer: ContainerWaitResponse = {"StatusCode": self._end.exit_code}
        if self._end.error:
            answer["Error"] = {"Message": self._end.error}
        return answer
