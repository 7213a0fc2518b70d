from __future__ import annotations

import pytest

from wharf.engine.containers.record import Specification
from wharf.engine.containers.throttle import respecified
from wharf.errors import InvalidArgument, NotImplementedHere, WharfError
from wharf.spec.engine_api.container import EndpointSettings, NetworkingConfig

_RATE = "wharf.network.rate"
_NAMES = {"b" * 64: "back"}


def _respecified(asked: NetworkingConfig) -> NetworkingConfig | None:
    present: NetworkingConfig = {"EndpointsConfig": {"back": {"Aliases": ["www"]}, "front": {}}}
    spec = Specification({}, {"NetworkMode": "back"}, present, [], "true", [])
    return respecified(spec, asked, name_of=lambda ref: _NAMES.get(ref, ref))


def test_container_on_the_hosts_network_has_no_rates() -> None:
    spec = Specification({}, {"NetworkMode": "host"}, {}, [], "true", [])
    asked: NetworkingConfig = {"EndpointsConfig": {"host": {"DriverOpts": {_RATE: "10mbit"}}}}
    with pytest.raises(InvalidArgument, match="cannot be had with network host"):
        respecified(spec, asked, name_of=lambda ref: ref)


@pytest.mark.parametrize(
    ("mode", "fault"),
    [("container:x", "no network of its own, but in that of container:x"), ("bridge", "of its own$")],
)
def test_container_in_no_network_of_its_own_has_no_rates(mode: str, fault: str) -> None:
    spec = Specification({}, {"NetworkMode": mode}, {"EndpointsConfig": {}}, [], "true", [])
    with pytest.raises(InvalidArgument, match=fault):
        respecified(spec, {"EndpointsConfig": {}}, name_of=lambda ref: ref)
    assert respecified(spec, {}, name_of=lambda ref: ref) is None


def test_rate_is_put_beside_what_was_asked_for() -> None:
    asked: EndpointSettings = {"DriverOpts": {_RATE: "10mbit"}}
    found = _respecified({"EndpointsConfig": {"b" * 64: asked}})

    assert found == {"EndpointsConfig": {"back": {"Aliases": ["www"], "DriverOpts": {_RATE: "10mbit"}}, "front": {}}}


@pytest.mark.parametrize("asked", [{}, {"EndpointsConfig": {}}, {"EndpointsConfig": None}])
def test_update_that_says_nothing_of_networks_changes_nothing(asked: NetworkingConfig) -> None:
    assert _respecified(asked) is None


@pytest.mark.parametrize(
    ("network", "settings", "kind", "fault"),
    [
        ("none", {}, InvalidArgument, "not connected to network none"),
        ("back", {"DriverOpts": {_RATE: "fast"}}, InvalidArgument, 'invalid network rate "fast"'),
        ("back", {"DriverOpts": {"other": "1"}}, NotImplementedHere, "updating other of an endpoint"),
        ("back", {"MacAddress": "02:00:00:00:00:07"}, NotImplementedHere, "updating MacAddress of an endpoint"),
    ],
)
def test_what_cannot_be_changed_is_refused(
    network: str, settings: EndpointSettings, kind: type[WharfError], fault: str
) -> None:
    with pytest.raises(kind, match=fault):
        _respecified({"EndpointsConfig": {network: settings}})
