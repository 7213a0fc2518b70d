from __future__ import annotations

from dataclasses import replace

from wharf.network import names
from wharf.network.endpoint import Endpoint

_BACK = Endpoint(
    "e", "c", "n", "back", "/run/x", "10.0.0.2", 24, "10.0.0.1", "02:00", (), "veth0", names=("web",), ipv6="fd00::2"
)


def test_endpoint_is_known_by_its_names_alone_and_with_its_network() -> None:
    told = names.naming(_BACK)

    assert told["names"] == ["web.back", "web"]
    assert told["addresses"] == ["10.0.0.2", "fd00::2"]


def test_container_sees_the_networks_in_which_it_has_names() -> None:
    default = replace(_BACK, id="d", network_id="b", network_name="bridge", names=())
    linked = replace(_BACK, links=(("other", "DB"),), servers=("1.1.1.1",))
    told = names.view("c", [default, linked])

    assert (told["networks"], told["links"], told["servers"]) == (["n"], {"db": "other"}, ["1.1.1.1"])
    assert told["forward"]


def test_container_in_internal_networks_alone_asks_nobody_else() -> None:
    assert not names.view("c", [replace(_BACK, gateway="", gateway6="")])["forward"]


def test_default_bridge_needs_no_resolver() -> None:
    assert not names.needed([replace(_BACK, names=())])
