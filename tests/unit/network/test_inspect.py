from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.network import inspect
from wharf.network.records import Network

_BRIDGE = Network("b" * 64, "bridge", "bridge", "2026-01-01T00:00:00Z", "172.17.0.0/16", "docker0")
_HOST = Network("a" * 64, "host", "host", "2026-01-01T00:00:00Z")


@pytest.mark.parametrize("filters", [{"colour": ["red"]}, {"type": ["odd"]}])
def test_unknown_filter_is_refused(filters: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidArgument):
        inspect.matching([_BRIDGE], filters)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["bridge", "host"]),
        ({"driver": ["host"]}, ["host"]),
        ({"name": ["brid"]}, ["bridge"]),
        ({"id": ["aaa"]}, ["host"]),
        ({"type": ["custom"]}, []),
        ({"dangling": ["true"]}, []),
        ({"driver": ["host", "bridge"], "scope": ["local"]}, ["bridge", "host"]),
        ({"label": ["x"]}, []),
    ],
)
def test_filters_are_alternatives_of_one_name_and_conditions_of_several(
    filters: dict[str, list[str]], expected: list[str]
) -> None:
    assert [network.name for network in inspect.matching([_BRIDGE, _HOST], filters)] == expected


def test_document_shows_subnet_and_gateway() -> None:
    ipam = inspect.document(_BRIDGE).get("IPAM") or {}

    assert ipam.get("Config") == [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]
