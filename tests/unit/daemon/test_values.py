from __future__ import annotations

import pytest

from wharf.daemon.settings import BY_NAME
from wharf.daemon.values import from_flags, from_json, shown
from wharf.errors import InvalidArgument


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("debug", True, True),
        ("default-stop-timeout", 5, 5),
        ("default-shm-size", "1m", 1024 * 1024),
        ("default-shm-size", 4096, 4096),
        ("dns", ["192.0.2.1"], ("192.0.2.1",)),
        ("log-opts", {"max-size": "1m"}, {"max-size": "1m"}),
        ("default-ulimits", {"nofile": {"Soft": 1, "Hard": 2}}, ({"Name": "nofile", "Soft": 1, "Hard": 2},)),
        ("live-restore", True, True),
        (
            "builder",
            {"entitlements": {"security-insecure": True}, "history": {"maxEntries": 5}},
            {"entitlements": {"security-insecure": True}, "entries": 5},
        ),
        (
            "features",
            {"buildkit": True, "containerd-snapshotter": False},
            {"buildkit": True, "containerd-snapshotter": False},
        ),
    ],
)
def test_value_of_the_file_is_read(name: str, given: object, value: object) -> None:
    assert from_json(BY_NAME[name], given) == value


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("debug", "true"),
        ("debug", 1),
        ("default-stop-timeout", True),
        ("default-stop-timeout", "5"),
        ("default-shm-size", "much"),
        ("dns", "192.0.2.1"),
        ("dns", [1]),
        ("log-opts", ["a=b"]),
        ("log-opts", {"a": 1}),
        ("default-ulimits", {"nofile": 5}),
        ("default-ulimits", {"nofile": {"Hard": 5}}),
        ("default-address-pools", [{"base": "10.0.0.0/8"}]),
        ("default-address-pools", {}),
        ("runtimes", {"kata": {"runtimeType": "io.containerd.kata.v2"}}),
        ("runtimes", {"crun": "/usr/bin/crun"}),
        ("builder", {"gc": {"enabled": "yes"}}),
        ("builder", {"gc": {"defaultKeepStorage": "much"}}),
        ("builder", {"gc": {"defaultReservedSpace": -5}}),
        ("builder", {"gc": {"policy": {"keepStorage": "1g"}}}),
        ("builder", {"entitlements": {"device": True}}),
        ("builder", {"entitlements": {"network-host": "no"}}),
    ],
)
def test_value_of_another_kind_is_refused_by_name(name: str, given: object) -> None:
    with pytest.raises(InvalidArgument, match=f'invalid value for "{name}": expected'):
        from_json(BY_NAME[name], given)


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("debug", ["true"], True),
        ("debug", ["true", "0"], False),
        ("default-stop-timeout", ["5"], 5),
        ("log-opts", ["a=b", "c=d=e"], {"a": "b", "c": "d=e"}),
        ("default-ulimits", ["nofile=1:2"], ({"Name": "nofile", "Soft": 1, "Hard": 2},)),
        ("default-ulimits", ["nproc=3"], ({"Name": "nproc", "Soft": 3, "Hard": 3},)),
    ],
)
def test_flags_have_the_values_of_the_file(name: str, given: list[str], value: object) -> None:
    assert from_flags(BY_NAME[name], given) == value


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("debug", "yes"),
        ("default-stop-timeout", "soon"),
        ("log-opts", "max-size"),
        ("default-ulimits", "nofile"),
        ("default-address-pools", "base=10.0.0.0/8"),
    ],
)
def test_flag_that_cannot_be_read_is_refused_by_name(name: str, given: str) -> None:
    with pytest.raises(InvalidArgument, match=f'invalid value "{given}" for --{BY_NAME[name].option}'):
        from_flags(BY_NAME[name], [given])


def test_what_does_not_hold_here_is_refused_with_the_reason() -> None:
    with pytest.raises(InvalidArgument, match="live-restore: false is not supported here: they always do"):
        from_json(BY_NAME["live-restore"], given=False)


def test_values_are_shown_as_go_shows_them() -> None:
    assert shown(({"base": "10.0.0.0/8", "size": 24}, True)) == "[{base: 10.0.0.0/8, size: 24}, true]"


@pytest.mark.parametrize(
    "given", [{"buildkit": False}, {"containerd-snapshotter": True}, {"buildkit": True, "other": True}]
)
def test_a_feature_that_is_not_so_here_is_refused(given: dict[str, bool]) -> None:
    with pytest.raises(InvalidArgument, match=r"features: .* is not supported here: buildkit and cdi are always on"):
        from_json(BY_NAME["features"], given)
