from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from wharf.engine.containers import stats
from wharf.engine.containers.record import Container, Specification
from wharf.engine.containers.state import State
from wharf.engine.context import Context


class _Registry(dict[str, Container]):
    def resolve(self, ref: str) -> Container:
        return self[ref]


def _samples(container: Container) -> list[dict[str, Any]]:
    context = cast("Context", SimpleNamespace(registry=_Registry({container.id: container})))

    async def body() -> list[dict[str, Any]]:
        found = stats.stats(context, container.id, stream=False, one_shot=False)
        return [cast("dict[str, Any]", sample) async for sample in found]

    return asyncio.run(body())


def test_a_container_that_does_not_run_has_numbers_all_the_same() -> None:
    (sample,) = _samples(Container("c0ffee", "web", "", "", "", Specification({}, {}, {}, [], "true", []), State()))

    nothing = {
        "cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    }
    assert (sample["cpu_stats"], sample["precpu_stats"]) == (nothing, nothing)
    assert sample["read"] == sample["preread"] == "0001-01-01T00:00:00Z"
    assert set(sample["blkio_stats"].values()) == {None}
    assert "io_service_bytes_recursive" in sample["blkio_stats"]
