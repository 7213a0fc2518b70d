from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.network import files

_HOST = "# made by hand\nnameserver 127.0.0.53\nnameserver 9.9.9.9\nsearch lan example.org\noptions edns0 trust-ad\n"


@pytest.mark.parametrize("entry", ["db", "db:", ":10.0.0.1", "db:nowhere", "a b:10.0.0.1"])
def test_malformed_extra_host_is_refused(entry: str) -> None:
    with pytest.raises(InvalidArgument, match="bad format for add-host"):
        files.hosts(extra_hosts=[entry])


def test_host_gateway_without_a_gateway_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="host-gateway"):
        files.hosts(extra_hosts=["db:host-gateway"])


def test_hosts_of_a_container_on_a_bridge() -> None:
    text = files.hosts(
        own=files.host_lines(["172.17.0.2"], hostname="web", domainname="example.org"),
        gateways=["172.17.0.1", "fd00::1"],
        extra_hosts=["db:10.0.0.1", "v6=[::2]", "outside:host-gateway"],
    )

    assert text == (
        "127.0.0.1\tlocalhost\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n"
        "fe00::\tip6-localnet\n"
        "ff00::\tip6-mcastprefix\n"
        "ff02::1\tip6-allnodes\n"
        "ff02::2\tip6-allrouters\n"
        "10.0.0.1\tdb\n"
        "::2\tv6\n"
        "172.17.0.1\toutside\n"
        "fd00::1\toutside\n"
        "172.17.0.2\tweb.example.org web\n"
    )


def test_container_on_the_hosts_network_keeps_its_hosts() -> None:
    assert files.hosts(base="127.0.0.1 box\n") == "127.0.0.1 box\n"


def test_name_server_that_is_no_address_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"dns\.example is not an ip address"):
        files.resolv_conf(_HOST, dns=["dns.example"])


def test_loopback_name_servers_stay_on_the_host() -> None:
    expected = "nameserver 9.9.9.9\nsearch lan example.org\noptions edns0 trust-ad\n"

    assert files.resolv_conf(_HOST) == expected


def test_container_on_the_hosts_network_asks_the_same_servers() -> None:
    assert files.resolv_conf(_HOST, keep_loopback=True).startswith("nameserver 127.0.0.53\nnameserver 9.9.9.9\n")


def test_what_the_user_gives_replaces_the_hosts() -> None:
    text = files.resolv_conf(_HOST, dns=["127.0.0.1"], search=["."], options=["ndots:2"])

    assert text == "nameserver 127.0.0.1\noptions ndots:2\n"
