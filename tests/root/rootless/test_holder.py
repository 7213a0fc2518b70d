from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.root.rootless.plain_user import PlainUser

pytestmark = pytest.mark.slow
Make = Callable[..., PlainUser]


def _world(user: PlainUser) -> dict[str, Any]:
    """Return what is written down of the user's namespaces, read by a command inside of them."""
    found: dict[str, Any] = json.loads(user.inside("cat", str(user.run_root / "rootless/world.json")))
    return found


def test_a_user_with_subordinate_ids_is_root_and_others_exist(plain_user: Make) -> None:
    user = plain_user()

    rows = [line.split() for line in user.inside("cat", "/proc/self/uid_map").splitlines()]

    assert rows == [["0", str(user.uid), "1"], ["1", str(user.first_subordinate), "65536"]]


def test_without_subordinate_ids_root_is_the_only_user(plain_user: Make) -> None:
    user = plain_user(subordinate=False)

    world = _world(user)

    assert (world["ids"], world["lacks"][0]) == (
        "single",
        "users: /etc/subuid gives this user no ids: root is the only user in containers, and owns every file",
    )


def test_what_carries_packets_is_tried_in_order(plain_user: Make) -> None:
    named = [
        _world(plain_user(environment={"WHARF_ROOTLESS_NETWORK": choice}))["network"]
        for choice in ("", "slirp4netns", "none")
    ]

    assert named == ["pasta", "slirp4netns", "none"]


def test_without_the_tap_device_the_machines_network_is_kept(plain_user: Make) -> None:
    user = plain_user(devices=False)

    world = _world(user)

    assert (world["network"], [lack for lack in world["lacks"] if "tun" in lack]) == (
        "none",
        ["networks: /dev/net/tun cannot be opened (as root: chmod 666 /dev/net/tun)"],
    )


def test_control_groups_that_are_not_delegated_are_not_seen(plain_user: Make) -> None:
    user = plain_user()

    assert user.inside("ls", "/sys/fs/cgroup") == ""
