from __future__ import annotations

import pytest

from wharf.compose.load.located import Map, Mark, Seq
from wharf.compose.load.short import (
    device_entry,
    go_text,
    hosts,
    is_path,
    names_to,
    pairs,
    port_entries,
    texts,
    volume_entry,
)
from wharf.errors import InvalidArgument


def test_ports_of_a_range_are_each_an_entry() -> None:
    assert port_entries("127.0.0.1:8000-8001:80-81/udp") == [
        {"mode": "ingress", "host_ip": "127.0.0.1", "target": 80, "published": "8000", "protocol": "udp"},
        {"mode": "ingress", "host_ip": "127.0.0.1", "target": 81, "published": "8001", "protocol": "udp"},
    ]


def test_range_of_the_host_for_one_port_is_left_to_choose_from() -> None:
    assert port_entries("8000-8010:80") == [
        {"mode": "ingress", "target": 80, "published": "8000-8010", "protocol": "tcp"}
    ]
    assert port_entries("80") == [{"mode": "ingress", "target": 80, "protocol": "tcp"}]


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("/data", {"type": "volume", "target": "/data", "volume": {}}),
        ("named:/data:ro", {"type": "volume", "source": "named", "target": "/data", "read_only": True, "volume": {}}),
        ("named:/data:nocopy", {"type": "volume", "source": "named", "target": "/data", "volume": {"nocopy": True}}),
        ("./src:/src", {"type": "bind", "source": "./src", "target": "/src", "bind": {"create_host_path": True}}),
        ("/a:/b:rw,z,rshared,cached", {
            "type": "bind", "source": "/a", "target": "/b", "consistency": "cached",
            "bind": {"selinux": "z", "propagation": "rshared", "create_host_path": True}}),
        ("${X:-/a}:/b", {"type": "volume", "source": "${X:-/a}", "target": "/b", "volume": {}}),
        ("vol:/d:z,nocopy", {"type": "volume", "source": "vol", "target": "/d", "bind": {"selinux": "z"},
            "volume": {"nocopy": True}}),
        ("./src:/e:nocopy", {"type": "bind", "source": "./src", "target": "/e", "bind": {"create_host_path": True},
            "volume": {"nocopy": True}}),
        ("C:\\src:/b", {"type": "bind", "source": "C:\\src", "target": "/b", "bind": {"create_host_path": True}}),
    ],
)  # fmt: skip
def test_volume_of_each_kind(text: str, entry: dict[str, object]) -> None:
    assert volume_entry(text) == entry


@pytest.mark.parametrize("text", ["", ":/a", "a:", "a:/b:ro:x", "vol:/b:shiny"])
def test_malformed_volume_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid"):
        volume_entry(text)


def test_source_is_a_path_or_a_name() -> None:
    assert [is_path(text) for text in ("./a", "/a", "~/a", "C:\\a", "name", "na/me")] == [True] * 4 + [False] * 2


def test_malformed_device_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="please use long syntax: a:b:c:d"):
        device_entry("a:b:c:d")


def test_pairs_are_texts_and_keep_their_places() -> None:
    found = pairs(Seq(["A=1=2", "B", True], [Mark("f", 1), Mark("f", 2), Mark("f", 3)]))

    assert found == {"A": "1=2", "B": None, "true": None}
    assert str(found.marks["B"]) == "f:2"
    assert pairs(Map([("A", 1.0), ("B", None), ("C", False)])) == {"A": "1", "B": None, "C": "false"}


def test_hosts_have_one_or_several_addresses() -> None:
    assert hosts(Seq(["a:1.1.1.1", "b=[::1]", "a=2.2.2.2", "c:host-gateway"])) == {
        "a": ["1.1.1.1", "2.2.2.2"], "b": ["::1"], "c": ["host-gateway"],
    }  # fmt: skip
    assert hosts(Map([("a", "[::1]"), ("b", Seq(["1.1.1.1"]))])) == {"a": ["::1"], "b": ["1.1.1.1"]}


def test_scalars_are_written_as_go_writes_them() -> None:
    assert [go_text(value) for value in (True, 1.0, 1.5, 7, "x")] == ["true", "1", "1.5", "7", "x"]
    assert (texts("a"), texts(Seq(["a", 1]))) == (["a"], ["a", "1"])


def test_names_each_get_a_default_of_their_own() -> None:
    found = names_to(Seq(["a", "b"], [Mark("f", 1), Mark("f", 2)]), [("x", 1)])

    assert found == {"a": {"x": 1}, "b": {"x": 1}}
    assert found["a"] is not found["b"]
    assert str(found.marks["b"]) == "f:2"
