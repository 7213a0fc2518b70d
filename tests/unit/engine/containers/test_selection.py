from __future__ import annotations

import pytest

from wharf.engine.containers.health import Health
from wharf.engine.containers.record import Container, Specification
from wharf.engine.containers.selection import check, matches
from wharf.engine.containers.state import State
from wharf.errors import InvalidArgument

BOX = Container(
    id="c0ffee" * 10 + "c0ff",
    name="web-1",
    created_at="2026-01-01T00:00:00Z",
    image_id="sha256:1",
    chain_id="",
    spec=Specification(
        config={"Labels": {"a": "1", "b": ""}, "ExposedPorts": {"80/tcp": {}, "53/udp": {}}},
        host_config={"NetworkMode": "bridge", "PortBindings": {"80/tcp": []}},
        networking={},
        mounts=[{"Name": "data", "Source": "/v/data", "Destination": "/mnt"}],
        path="true",
        args=[],
    ),
    state=State(status="exited", exit_code=3, health=Health("unhealthy")),
)


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"id": ["c0ffeec0"]},
        {"name": ["web"]},
        {"name": ["^web-[0-9]$"]},
        {"name": ["/web-1"]},
        {"name": ["^/web-1$"]},
        {"name": ["nope", "web"]},
        {"status": ["exited"]},
        {"exited": ["0", "3"]},
        {"health": ["unhealthy"]},
        {"isolation": ["hyperv"]},
        {"label": ["a", "b"]},
        {"label": ["a=1"]},
        {"volume": ["data"]},
        {"volume": ["/mnt"]},
        {"network": ["bridge"]},
        {"expose": ["80"]},
        {"expose": ["50-60/udp"]},
        {"publish": ["80/tcp"]},
        {"ancestor": ["img"]},
        {"is-task": ["false"]},
    ],
)
def test_what_passes(filters: dict[str, list[str]]) -> None:
    check(filters)

    assert matches(BOX, filters, ancestors={"sha256:1"})


@pytest.mark.parametrize(
    "filters",
    [
        {"id": ["ffff"]},
        {"name": ["^eb"]},
        {"name": ["/eb"]},
        {"status": ["running"]},
        {"exited": ["0"]},
        {"health": ["none"]},
        {"label": ["a", "c"]},
        {"label": ["a=2"]},
        {"volume": ["dat"]},
        {"network": ["none"]},
        {"expose": ["53"]},
        {"publish": ["53/udp"]},
        {"ancestor": ["other"]},
        {"is-task": ["true"]},
        {"name": ["web"], "status": ["running"]},
    ],
)
def test_what_does_not(filters: dict[str, list[str]]) -> None:
    check(filters)

    assert not matches(BOX, filters, ancestors=set())


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("odd", "x", "invalid filter 'odd'"),
        ("status", "gone", "invalid filter 'status=gone'"),
        ("health", "ill", "invalid filter 'health=ill'"),
        ("exited", "x", "invalid filter 'exited=x'"),
        ("expose", "http", "invalid filter 'expose=http'"),
        ("name", "(", "invalid filter"),
    ],
)
def test_what_is_refused(name: str, value: str, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        check({name: [value]})
