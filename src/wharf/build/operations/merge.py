"""Layers put on each other, and taken apart again."""

from __future__ import annotations

from collections.abc import Sequence

from wharf.build.graph.operations import Diff
from wharf.build.operations.results import Layers, Result
from wharf.build.operations.store import Recorder, Store, unrecorded
from wharf.errors import InvalidArgument, NotImplementedHere


def merge(store: Store, inputs: Sequence[Result], record: Recorder) -> Layers:
    """Return all inputs on each other, the later ones above; blocking."""
    merged, rest = _layers(inputs[0]), [_layers(one) for one in inputs[1:]]
    for one in rest[:-1]:
        merged = store.stack(merged, one, unrecorded)
    if rest and rest[-1].chain_id:
        return store.stack(merged, rest[-1], record)
    return store.remember(merged, record)


def diff(store: Store, operation: Diff, inputs: Sequence[Result], record: Recorder) -> Layers:
    """Return the layers of the upper input that the lower one does not have; blocking.

    Raises:
        NotImplementedHere: neither lies on the other.
    """
    lower = _layers(inputs[operation.lower]) if operation.lower >= 0 else Layers()
    upper = _layers(inputs[operation.upper]) if operation.upper >= 0 else Layers()
    above = store.above(lower, upper)
    if above is None:
        raise NotImplementedHere(
            "a diff of layers that do not lie on each other is not supported by this build of wharf"
        )
    result = Layers()
    for number, chain_id in enumerate(above, 1):
        last = number == len(above)
        result = store.add_layer(result, chain_id, record if last else unrecorded)
    return result if above else store.remember(result, record)


def _layers(result: Result) -> Layers:
    if not isinstance(result, Layers):
        raise InvalidArgument("a folder from outside cannot be merged: copy it first")
    return result
