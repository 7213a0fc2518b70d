from __future__ import annotations

import pytest

from wharf.engine.buildkit.exports import planned
from wharf.errors import NotImplementedHere
from wharf.spec.buildkit.control_pb2 import Exporter


def test_each_exporter_is_planned_in_its_place() -> None:
    assert len(planned([Exporter(Type="moby"), Exporter(Type="image", Attrs={"name": "x"})])) == 2
    assert planned([]) == []


def test_one_that_is_not_known_is_refused_by_name() -> None:
    with pytest.raises(NotImplementedHere, match="the exporter hologram is not supported"):
        planned([Exporter(Type="moby"), Exporter(Type="hologram")])
