from __future__ import annotations

import pytest

from wharf.engine.events import matches
from wharf.spec.engine_api.system import EventMessage

CONTAINER: EventMessage = {
    "Type": "container",
    "Action": "exec_start: sh -c true",
    "scope": "local",
    "Actor": {"ID": "c0ffee1234", "Attributes": {"name": "web", "image": "shop:1", "tier": "front"}},
}
IMAGE: EventMessage = {
    "Type": "image",
    "Action": "tag",
    "scope": "local",
    "Actor": {"ID": "sha256:abc", "Attributes": {"name": "localhost:5000/shop:1"}},
}


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({}, True),
        ({"container": ["web"]}, True),
        ({"container": ["c0f"]}, True),
        ({"container": ["db", "web"]}, True),
        ({"container": ["db"]}, False),
        ({"network": ["web"]}, False),
        ({"event": ["exec_start"]}, True),
        ({"event": ["exec"]}, False),
        ({"type": ["container"], "event": ["die"]}, False),
        ({"image": ["shop"]}, True),
        ({"image": ["shop:1"]}, True),
        ({"image": ["shop:2"]}, False),
        ({"label": ["tier=front"]}, True),
        ({"label": ["tier=front", "zone"]}, False),
        ({"scope": ["swarm"]}, False),
    ],
)
def test_container_event_passes_filters(filters: dict[str, list[str]], passes: bool) -> None:
    assert matches(CONTAINER, filters) is passes


@pytest.mark.parametrize("value", ["localhost:5000/shop", "localhost:5000/shop:1", "sha256:abc"])
def test_image_event_is_found_by_name_with_or_without_tag_and_by_id(value: str) -> None:
    assert matches(IMAGE, {"image": [value]})
