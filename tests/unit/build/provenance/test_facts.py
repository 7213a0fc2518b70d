from __future__ import annotations

from tests.unit.build.provenance.graphs import graph

from wharf.build.provenance.facts import Facts, Material


def _facts(network: str = "default", remote: Material | None = None) -> Facts:
    return Facts("ref", "1", "2", "linux/amd64", "dockerfile.v0", target=graph(network), remote=remote)


def test_what_a_client_lent_is_named() -> None:
    facts = _facts()
    assert [mount.id for mount in facts.lent("secret")] == ["token"]
    assert facts.folders == ["context", "dockerfile"]
    assert _facts(remote=Material("https://x")).folders == []


def test_a_build_without_a_network_is_hermetic() -> None:
    assert not _facts().hermetic
    assert _facts("none").hermetic
    assert Facts("ref", "1", "2", "linux/amd64").hermetic
