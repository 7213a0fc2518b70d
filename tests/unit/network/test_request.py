from __future__ import annotations

import pytest

from wharf.errors import Forbidden, InvalidArgument, Unavailable, WharfError
from wharf.network import request
from wharf.network.pools import Pool
from wharf.spec.engine_api.network import IPAM, NetworkCreateRequest


def _ipam(*subnets: str) -> IPAM:
    return {"Config": [{"Subnet": subnet} for subnet in subnets]}


def test_request_with_defaults_is_a_bridge() -> None:
    found = request.network_of(
        {"Name": "back", "Labels": {"a": "b"}, "IPAM": {"Config": [{"Subnet": "10.0.0.0/24"}]}}
    )

    assert (found.driver, found.ipv4, found.ipv6, found.labels) == ("bridge", True, False, {"a": "b"})
    assert found.pools == (Pool("10.0.0.0/24"),)


@pytest.mark.parametrize(
    ("document", "kind", "fault"),
    [
        ({}, InvalidArgument, "invalid name"),
        ({"Name": " "}, InvalidArgument, "invalid name"),
        ({"Name": "a\nb"}, InvalidArgument, "invalid name"),
        ({"Name": "bridge"}, Forbidden, "operation is not permitted on predefined bridge network"),
        ({"Name": "n", "Driver": "host"}, Forbidden, 'only one instance of "host" network is allowed'),
        ({"Name": "n", "Driver": "overlay"}, Unavailable, "not a swarm manager"),
        ({"Name": "n", "EnableIPv4": False}, InvalidArgument, "IPv4 or IPv6 must be enabled"),
        (
            {"Name": "n", "IPAM": _ipam("x")},
            InvalidArgument,
            "invalid network config:\ninvalid sub",
        ),
        ({"Name": "n", "ConfigOnly": True, "ConfigFrom": {"Network": "m"}}, Forbidden, "cannot depend"),
        ({"Name": "n", "ConfigOnly": True, "Internal": True}, Forbidden, "can only contain network specific fields"),
    ],
)
def test_impossible_request_is_refused(document: NetworkCreateRequest, kind: type[WharfError], fault: str) -> None:
    with pytest.raises(kind, match=fault):
        request.network_of(document)


def test_overlay_is_for_who_has_a_driver() -> None:
    assert request.network_of({"Name": "n", "Driver": "overlay"}, overlay=True).driver == "overlay"
    with pytest.raises(Unavailable, match="not a swarm manager"):
        request.network_of({"Name": "n", "Driver": "overlay"})
    with pytest.raises(Forbidden, match="cannot create a swarm scoped network when swarm is not active"):
        request.network_of({"Name": "n", "Driver": "overlay", "Scope": "swarm"}, overlay=True)


def test_subnet_of_a_version_that_is_off_is_told_of() -> None:
    found = request.network_of({"Name": "n", "IPAM": {"Config": [{"Subnet": "fd00::/64"}]}})

    assert found.pools_of(6) == []
    assert request.warning(found) == "fd00::/64 is not used: its IP version is not enabled"


def test_configuration_is_taken_from_another_network() -> None:
    source = request.network_of(
        {
            "Name": "c",
            "Driver": "bridge",
            "ConfigOnly": True,
            "Labels": {"x": "y"},
            "IPAM": {"Config": [{"Subnet": "10.0.0.0/24"}]},
        }
    )
    user = request.network_of({"Name": "n", "Driver": "bridge", "ConfigFrom": {"Network": "c"}})

    assert request.with_config_of(user, source).pools == source.pools
    assert (source.driver, request.with_config_of(user, source).driver) == ("null", "bridge")
    with pytest.raises(Forbidden, match="not configuration only"):
        request.with_config_of(user, user)
    with pytest.raises(Forbidden, match="user specified configurations"):
        request.with_config_of(request.network_of({"Name": "n", "Labels": {"a": "b"}}), source)
