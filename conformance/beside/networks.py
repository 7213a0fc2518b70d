"""Networks and their endpoints: made with every field, joined, left, refused and pruned."""

from __future__ import annotations

import json
from collections.abc import Iterator

from conformance.beside.steps import Sequence, Step, box, delete, get, inspect, post


def sequences() -> Iterator[Sequence]:
    """Yield them."""
    for body in (
        None,
        {},
        {"Name": ""},
        {"Name": "net"},
        {"Name": "bridge"},
        {"Name": "host"},
        {"Name": "none"},
        {"Name": "default"},
        {"Name": "a b"},
        {"Name": "a/b"},
        {"Name": "-a"},
        {"Name": "net", "Driver": "nope"},
        {"Name": "net", "Driver": "host"},
        {"Name": "net", "Driver": "null"},
        {"Name": "net", "Driver": "overlay"},
        {"Name": "net", "Internal": True},
        {"Name": "net", "Attachable": True},
        {"Name": "net", "Ingress": True},
        {"Name": "net", "Scope": "swarm"},
        {"Name": "net", "Scope": "x"},
        {"Name": "net", "ConfigOnly": True},
        {"Name": "net", "ConfigFrom": {"Network": "nope"}},
        {"Name": "net", "EnableIPv6": True},
        {"Name": "net", "EnableIPv4": False},
        {"Name": "net", "CheckDuplicate": True},
        {"Name": "net", "Labels": {"a": "b"}},
        {"Name": "net", "Options": {"nope": "x"}},
        {"Name": "net", "Options": {"com.docker.network.bridge.name": "br9"}},
        {"Name": "net", "Options": {"com.docker.network.driver.mtu": "x"}},
        {"Name": "net", "Options": {"com.docker.network.bridge.enable_icc": "x"}},
        {"Name": "net", "IPAM": {"Driver": "nope"}},
        {"Name": "net", "IPAM": {"Config": []}},
        *(
            {"Name": "net", "IPAM": {"Config": [config]}}
            for config in (
                {"Subnet": "10.77.0.0/24"},
                {"Subnet": "10.77.0.5/24"},
                {"Subnet": "x"},
                {"Subnet": "10.77.0.0"},
                {},
                {"Subnet": "10.77.0.0/24", "Gateway": "10.77.0.9"},
                {"Subnet": "10.77.0.0/24", "Gateway": "10.78.0.1"},
                {"Subnet": "10.77.0.0/24", "IPRange": "10.77.0.128/25"},
                {"Subnet": "10.77.0.0/24", "IPRange": "10.78.0.0/25"},
                {"Subnet": "10.77.0.0/24", "Gateway": "x"},
                {"Gateway": "10.77.0.1"},
                {"IPRange": "10.77.0.0/25"},
                {"Subnet": "10.77.0.0/24", "AuxiliaryAddresses": {"a": "10.77.0.7"}},
                {"Subnet": "10.77.0.0/32"},
                {"Subnet": "10.77.0.0/24", "AuxiliaryAddresses": {"a": "10.78.0.7"}},
                {"Subnet": "fd00:77::/64"},
            )
        ),
        {"Name": "net", "IPAM": {"Config": [{"Subnet": "10.77.0.0/24"}, {"Subnet": "10.77.0.0/24"}]}},
        {"Name": "net", "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}},
    ):
        name = json.dumps(body)
        yield Sequence(
            f"networks.create {name}",
            (
                Step("POST", "/networks/create", body, "n"),
                get("/networks/@n"),
                Step("DELETE", "/networks/@n", silent=True),
            ),
        )
    connect = "/networks/net/connect"
    yield Sequence(
        "networks.life",
        (
            post("/networks/create", {"Name": "net", "IPAM": {"Config": [{"Subnet": "10.77.0.0/24"}]}}, "n"),
            post("/networks/create", {"Name": "net"}),
            get("/networks/net"),
            get("/networks/nope"),
            get("/networks/net?verbose=1"),
            get("/networks/net?scope=swarm"),
            delete("/networks/nope"),
            delete("/networks/bridge"),
            delete("/networks/host"),
            post(connect),
            post(connect, {}),
            post(connect, {"Container": "nobody"}),
            post("/networks/nope/connect", {"Container": "nobody"}),
            *box(
                post(connect, {"Container": "box", "EndpointConfig": {"IPAMConfig": {"IPv4Address": "10.78.0.1"}}}),
                post(connect, {"Container": "box", "EndpointConfig": {"IPAMConfig": {"IPv4Address": "x"}}}),
                post(connect, {"Container": "box", "EndpointConfig": {"MacAddress": "x"}}),
                post(connect, {"Container": "box", "EndpointConfig": {"Links": ["nobody:x"]}}),
                post(connect, {"Container": "box", "EndpointConfig": {"Aliases": ["al"], "GwPriority": 3}}),
                post(connect, {"Container": "box"}),
                get("/networks/net"),
                inspect(),
                delete("/networks/net"),
                post("/networks/prune"),
                post("/networks/host/connect", {"Container": "box"}),
                post("/networks/none/connect", {"Container": "box"}),
                post("/networks/net/disconnect", {"Container": "nobody"}),
                post("/networks/net/disconnect"),
                post("/networks/net/disconnect", {"Container": "box"}),
                post("/networks/net/disconnect", {"Container": "box"}),
                post("/networks/net/disconnect", {"Container": "box", "Force": True}),
                inspect(),
                post("/networks/bridge/disconnect", {"Container": "box"}),
                inspect(),
            ),
            delete("/networks/net"),
            get("/networks/net"),
            post("/networks/prune"),
        ),
    )
    for endpoint in (
        {"Aliases": ["a"]},
        {"IPAMConfig": {"IPv4Address": "10.77.0.9"}},
        {"IPAMConfig": {"IPv4Address": "10.78.0.9"}},
        {"IPAMConfig": {"IPv6Address": "fd00::1"}},
        {"MacAddress": "02:42:0a:4d:00:09"},
        {"MacAddress": "x"},
        {"DriverOpts": {"a": "b"}},
        {"GwPriority": 5},
        {"IPAMConfig": {"LinkLocalIPs": ["169.254.3.3"]}},
        None,
        {"IPAMConfig": {"LinkLocalIPs": ["1.2.3.4"]}},
        {"Links": ["nobody"]},
        {"NetworkID": "x"},
        {"IPAddress": "10.77.0.3"},
    ):
        yield Sequence(
            f"networks.endpoint {json.dumps(endpoint)}",
            (
                post("/networks/create", {"Name": "net", "IPAM": {"Config": [{"Subnet": "10.77.0.0/24"}]}}, "n"),
                *box(
                    inspect(),
                    get("/networks/net"),
                    Step("POST", "/containers/@c/stop?t=5", silent=True),
                    inspect(),
                    HostConfig={"NetworkMode": "net"},
                    NetworkingConfig={"EndpointsConfig": {"net": endpoint}},
                ),
                Step("DELETE", "/networks/net", silent=True),
            ),
        )
