"""docker wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from wharf.engine.containers.record import Container
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
        return _answer_now(container)
    return _answer(container.watch(satisfied))


async def _answer(future: Awaitable[State]) -> ContainerWaitResponse:
    state = await future
    return _response(state)


async def _answer_now(container: Container) -> ContainerWaitResponse:
    return _response(container.state)


def _response(state: State) -> ContainerWaitResponse:
    response: ContainerWaitResponse = {"StatusCode": state.exit_code}
    if state.error:
        response["Error"] = {"Message": state.error}
    return response
