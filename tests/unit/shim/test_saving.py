from __future__ import annotations

from wharf.shim.saving import wanted


def test_containers_are_saved_as_dockerd_has_it_but_for_their_control_group() -> None:
    asked = wanted("/images", leave_running=True)

    assert (asked.images, asked.leave_running, asked.cgroups) == ("/images", True, "ignore")
    assert asked.options == {"tcp_established": True, "file_locks": True, "ext_unix_sk": True}
