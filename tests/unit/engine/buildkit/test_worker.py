from __future__ import annotations

from wharf.engine.buildkit import worker


def test_capabilities_are_told_as_enabled_once_each() -> None:
    for names in (worker.FRONTEND, worker.LLB):
        told = worker.capabilities(names)
        assert [cap.ID for cap in told if cap.Enabled] == list(names)
        assert len(set(names)) == len(names)


def test_the_version_is_one_that_clients_can_compare() -> None:
    assert worker.version().version.startswith("v0.")
