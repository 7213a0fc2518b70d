from __future__ import annotations

import pytest

from wharf.api import versions
from wharf.api.versions import Version, parse_version, split_version
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import ContainerUpdateRequest, CreateContainer
from wharf.spec.engine_api.system import DiskUsage, EventMessage

NEW, OLD = versions.NEWEST, Version((1, 40))

NAMELESS = {"RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"]}


@pytest.mark.parametrize("path", ["/v1.56/info", "/v2/info", "/v1.39/info", "/v1/info", "/v0.9/info"])
def test_version_that_is_not_served_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgument, match="client version"):
        split_version(path)


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("/info", (NEW, "/info")),
        ("/v1.40/info", (OLD, "/info")),
        ("/v1.40.3/info", (OLD, "/info")),
        ("/v1.55/images/v1.2/json", (NEW, "/images/v1.2/json")),
        ("/version", (NEW, "/version")),
        ("/v1.55", (NEW, "/v1.55")),
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


def test_several_networks_at_create_came_with_1_44() -> None:
    request: CreateContainer = {"NetworkingConfig": {"EndpointsConfig": {"a": {}, "b": {}}}}

    with pytest.raises(InvalidArgument, match="cannot be created with multiple network endpoints: a, b"):
        versions.create_request(request, parse_version("1.43"))
    assert versions.create_request(request, parse_version("1.44"))["NetworkingConfig"] == request["NetworkingConfig"]


def test_default_bridges_address_stands_in_network_settings_too() -> None:
    found = versions.container_inspect(
        {"Id": "a", "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2", "IPPrefixLen": 16}}}},
        parse_version("1.51"),
    )
    settings = found["NetworkSettings"]

    assert isinstance(settings, dict)
    assert (settings["IPAddress"], settings["IPPrefixLen"], settings["Gateway"]) == ("172.17.0.2", 16, "")


@pytest.mark.parametrize(("version", "aliases"), [("1.44", ["web", "c0ffee123456"]), ("1.45", ["web"])])
def test_aliases_include_the_short_id_until_1_44(version: str, aliases: list[str]) -> None:
    found = versions.container_inspect(
        {
            "Id": "c0ffee1234567890",
            "State": {"StartedAt": "2026-01-01T00:00:00Z"},
            "NetworkSettings": {"Networks": {"n": {"Aliases": ["web"]}}},
        },
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


def test_inspected_image_omits_what_is_empty_since_1_52() -> None:
    found = versions.image_inspect(
        {"Id": "i", "Author": "", "Comment": "c", "Config": {"Env": [], "Cmd": ["sh"]}}, NEW
    )

    assert found == {"Id": "i", "Comment": "c", "Config": {"Cmd": ["sh"]}}


def test_inspected_container_says_each_address_once_since_1_52() -> None:
    networks = {"bridge": {"IPAddress": "172.17.0.2"}}
    found = versions.container_inspect(
        {"Id": "a", "NetworkSettings": {"Networks": networks}, "Config": {"OnBuild": None, "User": ""}}, NEW
    )

    assert found == {"Id": "a", "NetworkSettings": {"Networks": networks}, "Config": {"User": ""}}


@pytest.mark.parametrize(("version", "more"), [("1.51", {"status", "id", "from"}), ("1.52", set())])
def test_event_has_its_oldest_fields_until_1_51(version: str, more: set[str]) -> None:
    event: EventMessage = {"Type": "container", "Action": "die", "Actor": {"ID": "a"}}

    assert versions.event(event, parse_version(version)).keys() - event.keys() == more


def test_disk_usage_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="unknown object type: moon"):
        versions.usage_kinds(["moon"], NEW)


def test_disk_usage_is_of_all_kinds_unless_some_are_asked_for() -> None:
    assert versions.usage_kinds(["volume"], NEW) == {"volume"}
    assert versions.usage_kinds([], NEW) == versions.usage_kinds(["volume"], OLD) == {*USAGE} - {"log"}


IMAGES: DiskUsage = {"TotalCount": 1, "TotalSize": 9, "Items": [{"Id": "i"}]}
USAGE: dict[str, DiskUsage] = {
    "image": IMAGES,
    "container": {"Items": []},
    "volume": {"Items": []},
    "build-cache": {"Items": []},
    "log": {"TotalSize": 3, "Items": [1]},
}
LISTS = {"LayersSize": 9, "Images": [{"Id": "i"}], "Containers": [], "Volumes": [], "BuildCache": []}
FIGURES = {"ImageUsage": {"TotalCount": 1, "TotalSize": 9}, "LogUsage": {"TotalSize": 3}}


def test_disk_usage_lists_objects_until_1_51() -> None:
    assert versions.disk_usage(USAGE, parse_version("1.51")) == LISTS
    old = versions.disk_usage(USAGE, parse_version("1.41"))
    images = [{**image, "VirtualSize": image.get("Size")} for image in LISTS["Images"]]  # type: ignore[union-attr]

    assert old == {**LISTS, "Images": images, "BuilderSize": 0}


def test_disk_usage_gives_figures_since_1_52_and_objects_when_verbose() -> None:
    nothing = {"ContainerUsage": {}, "VolumeUsage": {}, "BuildCacheUsage": {}}
    both = versions.disk_usage(USAGE, parse_version("1.52"))
    new = versions.disk_usage(USAGE, NEW)
    verbose = versions.disk_usage(USAGE, NEW, verbose=True)

    assert both == {**LISTS, **FIGURES, **nothing}
    assert new == {**FIGURES, **nothing}
    assert verbose["ImageUsage"] == IMAGES


def test_disk_usage_shows_only_the_kinds_that_were_asked_for() -> None:
    found = versions.disk_usage({"volume": {"Items": [2]}}, parse_version("1.51"))

    assert found == {"LayersSize": 0, "Images": None, "Containers": None, "Volumes": [2], "BuildCache": None}


@pytest.mark.parametrize(
    ("version", "pid", "code", "shown"), [("1.41", 0, 127, 126), ("1.41", 7, 127, 127), ("1.42", 0, 127, 127)]
)
def test_command_that_was_not_found_had_another_exit_code_until_1_41(
    version: str, pid: int, code: int, shown: int
) -> None:
    found = versions.exec_inspect({"ExitCode": code, "Pid": pid}, parse_version(version))

    assert found["ExitCode"] == shown


@pytest.mark.parametrize(("version", "shown"), [("1.44", "c"), ("1.45", None)])
def test_container_that_an_image_is_of_is_shown_until_1_44(version: str, shown: str | None) -> None:
    found = versions.image_inspect(
        {"Id": "i", "Container": "c", "ContainerConfig": {"Image": "b"}}, parse_version(version)
    )

    assert found.get("Container") == shown
    assert ("ContainerConfig" in found) == bool(shown)


@pytest.mark.parametrize(("minor", "shown"), [(47, False), (48, True)])
def test_manifest_of_a_containers_image_came_with_48(minor: int, shown: bool) -> None:
    container = {"Id": "c", "ImageManifestDescriptor": {"mediaType": "m", "digest": "sha256:1", "size": 1}}
    version = Version((1, minor))

    for document in (
        versions.container_summary(container, version),  # type: ignore[arg-type]  # as much of one as is looked at
        versions.container_inspect(container, version),  # type: ignore[arg-type]  # likewise
    ):
        assert ("ImageManifestDescriptor" in document) is shown


def test_empty_lists_of_an_update_lift_limits_since_1_55() -> None:
    request: ContainerUpdateRequest = {"BlkioDeviceReadBps": [], "BlkioDeviceWriteBps": [{"Path": "/d", "Rate": 1}]}

    assert versions.update_request(request, Version((1, 55))) == request
    assert versions.update_request(request, Version((1, 54))) == {"BlkioDeviceWriteBps": [{"Path": "/d", "Rate": 1}]}
