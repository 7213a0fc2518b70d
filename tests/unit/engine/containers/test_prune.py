from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from wharf.engine.containers.prune import prune
from wharf.errors import InvalidArgument


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"until": ["x"]}, "invalid value for time: x"),
        ({"until": ["1h", "2h"]}, "more than one until filter specified"),
        ({"nonsense": ["1"]}, "invalid filter 'nonsense'"),
    ],
)
def test_filter_that_cannot_be_is_refused_where_there_is_nothing_to_remove(
    filters: dict[str, list[str]], said: str
) -> None:
    empty = SimpleNamespace(registry=[], clock=SimpleNamespace(now=lambda: "2026-01-01T00:00:00Z"))

    with pytest.raises(InvalidArgument, match=said):
        asyncio.run(prune(empty, filters))  # type: ignore[arg-type]  # as much of a context as is looked at
