from __future__ import annotations

import pytest

from wharf.errors import Unavailable
from wharf.rootless import uplink


def _found(*names: str):  # type: ignore[no-untyped-def]
    return lambda name: f"/usr/bin/{name}" if name in names else None


def test_pasta_comes_before_slirp4netns() -> None:
    assert uplink.choose({}, _found("slirp4netns", "pasta"), tun=True).programs == ["pasta", "slirp4netns"]


def test_what_is_not_installed_is_named() -> None:
    found = uplink.choose({}, _found(), tun=True)

    assert (found.programs, found.lacks) == ([], ["networks: pasta or slirp4netns is not installed"])


def test_without_the_tap_device_neither_helps() -> None:
    found = uplink.choose({}, _found("pasta"), tun=False)

    assert (found.programs, found.lacks) == (
        [],
        ["networks: /dev/net/tun cannot be opened (as root: chmod 666 /dev/net/tun)"],
    )


def test_the_environment_chooses() -> None:
    both = _found("slirp4netns", "pasta")

    assert uplink.choose({uplink.CHOICE: "slirp4netns"}, both, tun=True).programs == ["slirp4netns"]
    assert uplink.choose({uplink.CHOICE: "none"}, both, tun=True).programs == []


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(Unavailable, match="WHARF_ROOTLESS_NETWORK=vpnkit: it is pasta, slirp4netns or none"):
        uplink.choose({uplink.CHOICE: "vpnkit"}, _found(), tun=True)


def test_commands_are_those_of_the_manuals() -> None:
    assert uplink.pasta_command(7, "/f") == [
        "pasta", "--config-net", "--quiet", "--tcp-ports", "auto", "--udp-ports", "auto", "--tcp-ns", "auto",
        "--udp-ns", "auto", "--pid", "/f", "7",
    ]  # fmt: skip
    assert uplink.slirp_command(7, 5, "/s") == [
        "slirp4netns", "--configure", "--mtu=65520", "--ready-fd=5", "--api-socket=/s", "7", "tap0",
    ]  # fmt: skip
