"""Networks from the command line: made, joined, left, listed, pruned."""

from __future__ import annotations

import json

import pytest
from tests.root.wharfd import Cli

pytestmark = pytest.mark.root


def test_network_is_made_shown_and_removed(run: Cli) -> None:
    made = run.ok(
        *("network", "create", "--subnet", "10.1.0.0/24", "--gateway", "10.1.0.254", "--ip-range", "10.1.0.128/25"),
        *("--aux-address", "printer=10.1.0.129", "--label", "app=shop", "--internal", "back"),
    )
    (shown,) = json.loads(run.ok("network", "inspect", "back"))

    assert (shown["Id"], shown["Internal"], shown["Labels"]) == (made, True, {"app": "shop"})
    assert shown["IPAM"]["Config"] == [
        {
            "Subnet": "10.1.0.0/24",
            "IPRange": "10.1.0.128/25",
            "Gateway": "10.1.0.254",
            "AuxiliaryAddresses": {"printer": "10.1.0.129"},
        }
    ]
    assert run.ok("network", "ls", "--filter", "label=app", "--format", "{{.Name}} {{.Driver}}") == "back bridge"
    assert run.ok("network", "rm", "back") == "back"
    assert "network back not found" in run("network", "rm", "back").err


def test_container_has_the_address_it_was_promised(run: Cli) -> None:
    run.ok("network", "create", "--subnet", "10.1.0.0/24", "back")

    shown = run.ok(
        "run", "--rm", "--network", "back", "--ip", "10.1.0.77", "busybox", "ip", "-4", "addr", "show", "eth0"
    )

    assert "inet 10.1.0.77/24" in shown


def test_running_container_joins_and_leaves(run: Cli) -> None:
    run.ok("network", "create", "--subnet", "10.1.0.0/24", "back")
    run.ok("run", "-d", "--name", "web", "busybox", "sleep", "60")
    run.ok("network", "connect", "--alias", "www", "--ip", "10.1.0.9", "back", "web")

    assert "10.1.0.9" in run.ok("exec", "web", "ip", "addr")
    shown = run.ok("inspect", "-f", "{{json .NetworkSettings.Networks.back.Aliases}}", "web")
    assert "www" in json.loads(shown)
    assert "active endpoints" in run("network", "rm", "back").err
    run.ok("network", "disconnect", "back", "web")
    assert "10.1.0.9" not in run.ok("exec", "web", "ip", "addr")


def test_containers_of_one_network_reach_each_other(run: Cli) -> None:
    run.ok("network", "create", "--subnet", "10.1.0.0/24", "back")
    run.ok("run", "-d", "--name", "web", "--network", "back", "busybox", "sh", "-c", "echo ahoy | nc -l -p 80")

    said = run.ok("run", "--rm", "--network", "back", "busybox", "nc", "-w", "5", "10.1.0.2", "80")

    assert said == "ahoy"


def test_network_of_another_container_is_shared(run: Cli) -> None:
    run.ok("network", "create", "--subnet", "10.1.0.0/24", "back")
    run.ok("run", "-d", "--name", "web", "--network", "back", "busybox", "sleep", "60")

    assert "10.1.0.2" in run.ok("run", "--rm", "--network", "container:web", "busybox", "ip", "addr")


def test_what_no_container_uses_is_pruned(run: Cli) -> None:
    run.ok("network", "create", "back")

    assert run.ok("network", "prune", "-f") == "Deleted Networks:\nback\n"


def test_impossible_network_is_refused_in_dockers_words(run: Cli) -> None:
    run.ok("network", "create", "--subnet", "10.1.0.0/24", "back")

    for words, fault in (
        (("back",), "network with name back already exists"),
        (("--subnet", "10.1.0.0/25", "front"), "Pool overlaps with other one on this address space"),
        (("bridge",), "operation is not permitted on predefined bridge network"),
    ):
        done = run("network", "create", *words)
        assert (done.code, fault in done.err) == (1, True), done


def test_containers_find_each_other_by_name(run: Cli) -> None:
    run.ok("network", "create", "--subnet", "10.1.0.0/24", "back")
    run.ok("run", "-d", "--name", "web", "--network", "back", "--network-alias", "www", "busybox", "sleep", "60")

    for name in ("web", "www"):
        found = run.ok("run", "--rm", "--network", "back", "busybox", "nslookup", name)
        assert "10.1.0.2" in found
    assert "nameserver 127.0.0.11" in run.ok("exec", "web", "cat", "/etc/resolv.conf")
    run.ok("rename", "web", "shop")
    assert "10.1.0.2" in run.ok("run", "--rm", "--network", "back", "busybox", "nslookup", "shop")
