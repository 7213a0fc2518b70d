from __future__ import annotations

from typing import cast

import pytest

from wharf.engine.containers import endpoints
from wharf.engine.containers.record import Container, Specification
from wharf.engine.containers.state import State
from wharf.errors import Forbidden, InvalidArgument, WharfError
from wharf.network.endpoint import Endpoint
from wharf.spec.engine_api.container import EndpointSettings, HostConfig, NetworkingConfig


def _same(ref: str) -> str:
    return ref


def _normalized(mode: str, **asked: EndpointSettings) -> dict[str, EndpointSettings]:
    host: HostConfig = {"NetworkMode": mode}
    found = endpoints.normalized({}, host, {"EndpointsConfig": asked}, _same)
    return found.get("EndpointsConfig") or {}


def _container(networking: NetworkingConfig, mode: str = "back") -> Container:
    host: HostConfig = {"NetworkMode": mode}
    spec = Specification({"Hostname": "box"}, host, networking, [], "true", [])
    return Container("c" * 64, "web", "", "", "", spec, State())


def test_mode_is_a_network_and_the_first() -> None:
    found = _normalized("back", front={"Aliases": ["www"]})

    assert list(found.items()) == [("back", {}), ("front", {"Aliases": ["www"]})]


def test_default_is_the_bridge() -> None:
    assert _normalized("default", default={"MacAddress": "02:00:00:00:00:07"}) == {
        "bridge": {"MacAddress": "02:00:00:00:00:07"}
    }


def test_what_is_the_engines_to_say_is_dropped() -> None:
    assert _normalized("back", back={"IPAddress": "10.0.0.1", "NetworkID": "x", "Aliases": None}) == {"back": {}}


def test_mac_of_older_clients_is_that_of_the_first_network() -> None:
    found = endpoints.normalized({"MacAddress": "02:00:00:00:00:07"}, {"NetworkMode": "back"}, {}, _same)

    assert found == {"EndpointsConfig": {"back": {"MacAddress": "02:00:00:00:00:07"}}}


@pytest.mark.parametrize(
    ("mode", "asked", "kind", "fault"),
    [
        ("none", {"back": {}}, Forbidden, "private \\(none\\) mode"),
        ("back", {"none": {}}, Forbidden, "private \\(none\\) mode"),
        ("container:x", {"back": {}}, InvalidArgument, "shares another's network"),
        (
            "container:x",
            {"container:x": {"DriverOpts": {"wharf.network.rate": "1mbit"}}},
            InvalidArgument,
            "had with",
        ),
        ("bridge", {"bridge": {"Aliases": ["a"]}}, InvalidArgument, "network-scoped aliases are only supported"),
        ("bridge", {"bridge": {"IPAMConfig": {"IPv4Address": "1.2.3.4"}}}, InvalidArgument, "user specified IP"),
        ("bridge", {"bridge": {"MacAddress": "02:42"}}, InvalidArgument, "network bridge: invalid MAC address 02:42"),
        ("back", {"back": {"Links": [":alias"]}}, InvalidArgument, "invalid format for links"),
    ],
)
def test_contradiction_is_refused_in_dockers_words(
    mode: str, asked: dict[str, EndpointSettings], kind: type[WharfError], fault: str
) -> None:
    with pytest.raises(kind, match=fault):
        _normalized(mode, **asked)


def test_wish_has_all_that_was_asked_for_and_the_names_to_be_found_by() -> None:
    settings: EndpointSettings = {
        "Aliases": ["www"],
        "Links": ["pg:db"],
        "IPAMConfig": {"IPv4Address": "10.0.0.9", "LinkLocalIPs": ["169.254.1.1"]},
        "GwPriority": 3,
        "DriverOpts": {"com.docker.network.endpoint.ifname": "lan0"},
    }
    found = endpoints.wish(_container({}), "back", settings, lambda ref: f"id of {ref}")

    assert found.names == ("web", "www", "c" * 12, "box")
    assert found.links == (("id of pg", "db"),)
    assert (found.ipv4, found.link_local, found.gateway_priority) == ("10.0.0.9", ("169.254.1.1",), 3)
    assert found.interface == "lan0"


def test_names_are_for_networks_of_the_users_own() -> None:
    assert endpoints.wish(_container({}), "bridge", {}, _same).names == ()


def test_networks_are_shown_as_asked_for_and_as_they_are() -> None:
    container = _container({"EndpointsConfig": {"back": {"Aliases": ["www"]}, "front": {}}})
    live = Endpoint("e", container.id, "n", "back", "", "10.0.0.2", 24, "10.0.0.1", "02:00", (), "veth0")
    shown = endpoints.shown(container, [live])

    assert (shown["back"].get("IPAddress"), shown["back"].get("Aliases")) == ("10.0.0.2", ["www"])
    assert shown["back"].get("DNSNames") == ["web", "www", "c" * 12, "box"]
    assert shown["front"].get("IPAddress") == ""


def test_networks_are_put_in_and_taken_out() -> None:
    spec = _container({"EndpointsConfig": {"back": {}, "front": {}}}).spec
    changed = endpoints.respecified(spec, {"front": None, "more": {"Aliases": ["a"]}})

    assert changed == {"EndpointsConfig": {"back": {}, "more": {"Aliases": ["a"]}}}


def test_record_without_networks_means_its_mode() -> None:
    assert endpoints.configured(_container(cast("NetworkingConfig", {})).spec) == {"back": {}}
    assert endpoints.configured(_container({"EndpointsConfig": {}}).spec) == {}


@pytest.mark.parametrize(
    ("link", "expected"), [("db", ("db", "db")), ("/db:/web/pg", ("db", "pg")), ("db:pg", ("db", "pg"))]
)
def test_link_is_a_container_and_a_name(link: str, expected: tuple[str, str]) -> None:
    assert endpoints.split_link(link) == expected


def test_option_that_means_nothing_to_a_driver_is_kept_and_told_of() -> None:
    asked = _normalized("back", back={"DriverOpts": {"x": "y"}})

    assert asked == {"back": {"DriverOpts": {"x": "y"}}}
    assert endpoints.warnings({"EndpointsConfig": asked}) == [
        "network back: driver option x means nothing to its driver, and is only kept"
    ]


def test_link_local_addresses_may_be_asked_for_on_the_default_bridge() -> None:
    asked: EndpointSettings = {"IPAMConfig": {"LinkLocalIPs": ["169.254.8.8"]}}

    assert _normalized("bridge", bridge=asked) == {"bridge": asked}


@pytest.mark.parametrize("mode", ["host", "none"])
def test_network_that_has_no_interfaces_has_no_rates(mode: str) -> None:
    with pytest.raises(InvalidArgument, match=f"a network rate cannot be had with network {mode}"):
        _normalized(mode, **{mode: {"DriverOpts": {"wharf.network.rate": "8mbit"}}})
    assert _normalized(mode, **{mode: {"DriverOpts": {"wharf.network.rate": "0"}}})


@pytest.mark.parametrize(
    ("mode", "asked", "expected"),
    [
        ("", ["default"], ("none", [])),
        ("default", [], ("none", [])),
        ("bridge", ["bridge", "back"], ("none", ["back"])),
        ("back", ["default", "back"], ("back", ["back"])),
        ("host", [], ("host", [])),
    ],
)
def test_without_a_default_bridge_who_asks_for_it_is_in_no_network(
    mode: str, asked: list[str], expected: tuple[str, list[str]]
) -> None:
    host, networking = endpoints.bridgeless({"NetworkMode": mode}, {"EndpointsConfig": {name: {} for name in asked}})

    assert (host["NetworkMode"], list(networking["EndpointsConfig"])) == expected


def test_a_container_that_has_ended_is_shown_in_the_networks_that_it_goes_back_to() -> None:
    spec = Specification({}, {"NetworkMode": "back"}, {"EndpointsConfig": {"back": {}}}, [], "true", [])
    never = Container("c0ffee", "web", "", "", "", spec, State())
    ended = Container("c0ffee", "web", "", "", "", spec, State(started_at="2026-11-27T15:00:00Z"))

    assert endpoints.shown(never, [], {"back": "b1"})["back"]["NetworkID"] == ""
    assert endpoints.shown(ended, [], {"back": "b1"})["back"]["NetworkID"] == "b1"
