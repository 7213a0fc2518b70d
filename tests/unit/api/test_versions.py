from __future__ import annotations

import pytest

from wharf.api import versions
from wharf.api.versions import Version, parse_version, split_version
from wharf.errors import InvalidArgument

NEW, OLD = Version((1, 51)), Version((1, 40))

NAMELESS = {"RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"]}


@pytest.mark.parametrize("path", ["/v1.52/info", "/v2/info", "/v1.39/info", "/v1/info", "/v0.9/info"])
def test_version_that_is_not_served_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgument, match="client version"):
        split_version(path)


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("/info", (NEW, "/info")),
        ("/v1.40/info", (OLD, "/info")),
        ("/v1.40.3/info", (OLD, "/info")),
        ("/v1.51/images/v1.2/json", (NEW, "/images/v1.2/json")),
        ("/version", (NEW, "/version")),
        ("/v1.51", (NEW, "/v1.51")),
    ],
)
def test_version_is_taken_off_the_path(path: str, split: tuple[Version, str]) -> None:
    assert split_version(path) == split


@pytest.mark.parametrize(
    ("version", "tty", "kind"),
    [("1.41", False, "raw"), ("1.41", True, "raw"), ("1.42", False, "multiplexed"), ("1.42", True, "raw")],
)
def test_stream_type_tells_frames_from_a_terminal_since_1_42(version: str, tty: bool, kind: str) -> None:
    assert versions.stream_type(parse_version(version), tty=tty) == f"application/vnd.docker.{kind}-stream"


def test_old_clients_containers_get_the_hosts_cgroup_namespace() -> None:
    assert versions.create_request({"Image": "a"}, OLD) == {"Image": "a", "HostConfig": {"CgroupnsMode": "host"}}


def test_fields_that_a_version_does_not_have_are_not_read() -> None:
    request = versions.create_request(
        {"HostConfig": {"ConsoleSize": [1, 2], "Annotations": {"a": "b"}, "CgroupnsMode": "private", "Memory": 5}},
        OLD,
    )

    assert request == {"HostConfig": {"CgroupnsMode": "private", "Memory": 5}}


def test_default_bridges_address_stands_in_network_settings_too() -> None:
    found = versions.container_inspect(
        {"Id": "a", "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2", "IPPrefixLen": 16}}}}, NEW
    )
    settings = found["NetworkSettings"]

    assert isinstance(settings, dict)
    assert (settings["IPAddress"], settings["IPPrefixLen"], settings["Gateway"]) == ("172.17.0.2", 16, "")


@pytest.mark.parametrize(("version", "aliases"), [("1.44", ["web", "c0ffee123456"]), ("1.45", ["web"])])
def test_aliases_include_the_short_id_until_1_44(version: str, aliases: list[str]) -> None:
    found = versions.container_inspect(
        {"Id": "c0ffee1234567890", "NetworkSettings": {"Networks": {"n": {"Aliases": ["web"]}}}},
        parse_version(version),
    )
    settings = found["NetworkSettings"]

    assert isinstance(settings, dict)
    assert settings["Networks"] == {"n": {"Aliases": aliases}}


@pytest.mark.parametrize(
    ("version", "extra"),
    [
        (
            "1.42",
            {"VirtualSize": 5, "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"], "Containers": -1},
        ),
        ("1.43", {"VirtualSize": 5, "RepoTags": [], "Containers": -1}),
        ("1.44", {"RepoTags": [], "Containers": -1}),
        ("1.51", {"RepoTags": [], "Containers": 2}),
    ],
)
def test_listed_image_of_each_version(version: str, extra: dict[str, object]) -> None:
    found = versions.image_summary({"Id": "i", "Size": 5, "RepoTags": [], "Containers": 2}, parse_version(version))

    assert found == {"Id": "i", "Size": 5, **extra}


def test_inspected_image_loses_fields_as_versions_go() -> None:
    def extra(version: str) -> list[str]:
        return sorted(versions.image_inspect({"Id": "i", "Size": 5}, parse_version(version)).keys() - {"Id", "Size"})

    assert [extra(version) for version in ("1.43", "1.44", "1.45", "1.50")] == [
        ["Config", "Container", "ContainerConfig", "Created", "DockerVersion", "Parent", "VirtualSize"],
        ["Config", "Container", "ContainerConfig", "DockerVersion", "Parent"],
        ["Config", "DockerVersion", "Parent"],
        ["DockerVersion", "Parent"],
    ]


def test_disk_usage_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="unknown object type: moon"):
        versions.disk_usage({}, NEW, {"moon"})


def test_disk_usage_shows_only_the_types_asked_for() -> None:
    found = versions.disk_usage({"Images": [1], "LayersSize": 9, "Volumes": [2]}, NEW, {"volume"})

    assert found == {"LayersSize": 0, "Images": None, "Containers": None, "Volumes": [2], "BuildCache": []}
