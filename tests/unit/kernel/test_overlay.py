from __future__ import annotations

from wharf.kernel.overlay import takes_layers_one_by_one


def test_layers_are_taken_one_by_one_from_6_5_on() -> None:
    releases = ("5.10.0-8-amd64", "6.1.0-56-cloud-amd64", "6.4", "6.5.0", "6.18.44-fc", "7.0-rc1")

    assert [takes_layers_one_by_one(release) for release in releases] == [False, False, False, True, True, True]
