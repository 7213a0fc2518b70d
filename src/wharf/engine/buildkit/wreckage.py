"""What commands that failed have left, while their job lasts: for whoever looks for the mistake."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, AsyncExitStack

from wharf.build.operations.exec import Wreck
from wharf.build.operations.results import Layers, Tree, Unfinished


class Wreckage:
    """What the failed steps of one job have left; it goes with the job's stack."""

    def __init__(self, hold: Callable[[str], AbstractContextManager[None]], stack: AsyncExitStack) -> None:
        """Begin with nothing; ``hold`` keeps layers while within."""
        self._hold = hold
        self._stack = stack
        self._found: dict[str, Wreck] = {}

    def take(self, digest: str, wreck: Wreck, held: AsyncExitStack) -> None:
        """Take what a step has left, and what removes it; the layers below it stay as long."""
        self._found[digest] = wreck
        for chain_id in sorted({_layers_of(tree) for tree in (*wreck.before, *wreck.after)} - {""}):
            self._stack.enter_context(self._hold(chain_id))
        self._stack.push_async_callback(held.aclose)

    def of(self, digest: str) -> Wreck | None:
        """Return what a step has left; None for nothing."""
        return self._found.get(digest)


def _layers_of(tree: Tree | None) -> str:
    match tree:
        case Layers(chain_id=chain_id):
            return chain_id
        case Unfinished(base=base):
            return base.chain_id
        case _:
            return ""
