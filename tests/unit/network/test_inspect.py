from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.network import inspect
from wharf.network.pools import Pool
from wharf.network.records import Network

_BRIDGE = Network(
    "b" * 64, "bridge", "bridge", "2026-01-01T00:00:00Z", (Pool("172.17.0.0/16", "172.17.0.1"),), "docker0"
)
_HOST = Network("a" * 64, "host", "host", "2026-01-01T00:00:00Z")
_BACK = Network("c" * 64, "back", "bridge", "2026-01-01T00:00:00Z", labels={"app": "shop"})


@pytest.mark.parametrize("filters", [{"colour": ["red"]}, {"type": ["odd"]}, {"dangling": ["perhaps"]}])
def test_unknown_filter_is_refused(filters: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidArgument):
        inspect.matching([_BRIDGE], filters)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["bridge", "host", "back"]),
        ({"driver": ["host"]}, ["host"]),
        ({"name": ["brid"]}, ["bridge"]),
        ({"id": ["aaa"]}, ["host"]),
        ({"type": ["custom"]}, ["back"]),
        ({"dangling": ["true"]}, ["back"]),
        ({"dangling": ["false"]}, ["bridge", "host"]),
        ({"driver": ["host", "bridge"], "scope": ["local"]}, ["bridge", "host", "back"]),
        ({"label": ["app=shop"]}, ["back"]),
    ],
)
def test_filters_are_alternatives_of_one_name_and_conditions_of_several(
    filters: dict[str, list[str]], expected: list[str]
) -> None:
    assert [network.name for network in inspect.matching([_BRIDGE, _HOST, _BACK], filters)] == expected


def test_network_in_use_is_not_dangling() -> None:
    assert inspect.matching([_BACK], {"dangling": ["true"]}, used={_BACK.id}) == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["back"]),
        ({"label!": ["app"]}, []),
        ({"until": ["2025-01-01T00:00:00Z"]}, []),
        ({"until": ["2026-06-01T00:00:00Z"]}, ["back"]),
    ],
)
def test_built_in_networks_are_never_pruned(filters: dict[str, list[str]], expected: list[str]) -> None:
    assert [network.name for network in inspect.prunable([_BRIDGE, _HOST, _BACK], filters)] == expected


def test_whole_document_counts_addresses_and_that_of_a_network_without_does_not() -> None:
    assert inspect.whole(_BRIDGE, [], {})["Status"] == {
        "IPAM": {"Subnets": {"172.17.0.0/16": {"IPsInUse": 3, "DynamicIPsAvailable": 65533}}}
    }
    assert "Status" not in inspect.whole(_HOST, [], {})


def test_document_shows_subnet_and_gateway() -> None:
    ipam = inspect.document(_BRIDGE).get("IPAM") or {}

    assert ipam.get("Config") == [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]
