"""Devices of the host's network that a container takes over."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from tests.root.runtime.conftest import Bundle

from wharf.runtime.errors import StartFailed

pytestmark = pytest.mark.root


_MAC = "02:00:00:00:77:01"


@pytest.fixture
def veth() -> Iterator[str]:
    """A device with an address of each family; its other end stays."""
    for command in (
        f"ip link add wtest0 mtu 1400 address {_MAC} type veth peer name wtest1",
        "ip addr add 10.77.0.1/24 dev wtest0",
        "ip -6 addr add fd77::1/64 dev wtest0 nodad",
        "ip link set wtest1 up",
    ):
        subprocess.run(command.split(), check=True)
    yield "wtest0"
    subprocess.run(["ip", "link", "delete", "wtest1"], check=False, stderr=subprocess.DEVNULL)


def taking(bundle: Bundle, devices: Any) -> Any:
    spec = bundle.spec(["ip", "-o", "addr"])
    spec["linux"]["netDevices"] = devices
    return spec


@pytest.mark.parametrize(("given", "name"), [({}, "wtest0"), ({"name": "eth7"}, "eth7"), ({"name": "net%d"}, "net0")])
def test_a_device_comes_with_its_addresses_and_is_up(bundle: Bundle, veth: str, given: Any, name: str) -> None:
    lines = bundle.run(taking(bundle, {veth: given})).output.splitlines()

    assert any(f"{name} " in line and "inet 10.77.0.1/24" in line for line in lines)
    assert any(f"{name} " in line and "fd77::1/64" in line for line in lines)


def test_it_keeps_its_address_of_the_link_its_mtu_and_no_address_that_is_passing(bundle: Bundle, veth: str) -> None:
    for command in (
        f"ip addr add 10.78.0.1/24 dev {veth} valid_lft 1000 preferred_lft 1000",
        f"ip addr add 10.79.0.1/24 dev {veth} scope link",
    ):
        subprocess.run(command.split(), check=True)
    spec = taking(bundle, {veth: {}})
    spec["process"]["args"] = ["sh", "-c", f"ip -o link show {veth}; ip -o addr show {veth}"]

    said = bundle.run(spec).output

    assert all(word in said for word in (_MAC, "mtu 1400", "10.77.0.1"))
    assert not any(word in said for word in ("10.78.0.1", "10.79.0.1"))


def test_a_device_goes_into_a_namespace_that_is_there_already_and_stays_there(bundle: Bundle, veth: str) -> None:
    holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 100"], stdout=subprocess.PIPE)
    try:
        assert holder.stdout
        assert holder.stdout.readline() == b"\n"  # it is in its namespace
        place = f"/proc/{holder.pid}/ns/net"
        spec = taking(bundle, {veth: {}})
        (network,) = (one for one in spec["linux"]["namespaces"] if one["type"] == "network")
        network["path"] = place
        bundle.run(spec)

        look = ["nsenter", f"--net={place}", "ip", "-o", "link", "show", veth]
        assert "UP" in subprocess.run(look, check=True, capture_output=True, text=True).stdout
    finally:
        holder.kill()
        holder.communicate()


def test_a_name_that_is_taken_is_an_error(bundle: Bundle, veth: str) -> None:
    with pytest.raises(StartFailed, match="error moving network device wtest0: file exists"):
        bundle.create(taking(bundle, {veth: {"name": "lo"}}))


def test_a_device_that_is_not_there_is_an_error(bundle: Bundle) -> None:
    with pytest.raises(StartFailed, match="error moving network device nosuch0: no such device"):
        bundle.create(taking(bundle, {"nosuch0": {}}))


@pytest.mark.parametrize("name", ["", "a/b", "x" * 16, "a b", ".."])
def test_what_cannot_be_a_name_is_refused(bundle: Bundle, name: str) -> None:
    with pytest.raises(StartFailed, match="is not the name of a network device"):
        bundle.create(taking(bundle, {"eth0": {"name": name} if name else {}, name: {}}))


def test_the_hosts_own_network_takes_none(bundle: Bundle) -> None:
    spec = taking(bundle, {"eth0": {}})
    spec["linux"]["namespaces"] = [n for n in spec["linux"]["namespaces"] if n["type"] != "network"]

    with pytest.raises(StartFailed, match="need a network namespace"):
        bundle.create(spec)
