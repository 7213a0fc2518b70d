from __future__ import annotations

import pytest

from wharf.compose.plan.observed import Observed, container_of, resource_of

SUMMARY = {
    "Id": "abc",
    "Names": ["/app-web-2", "/app-db-1/web"],
    "State": "running",
    "Status": "Up 2 minutes (healthy)",
    "Labels": {
        "com.docker.compose.project": "app",
        "com.docker.compose.service": "web",
        "com.docker.compose.container-number": "2",
        "com.docker.compose.config-hash": "h",
        "com.docker.compose.image": "sha256:1",
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.depends_on": "db:service_healthy:true,cache:service_started:false",
    },
    "NetworkSettings": {"Networks": {"app_default": {}}},
    "Mounts": [
        {"Type": "volume", "Name": "v", "Destination": "/d"},
        {"Type": "bind", "Source": "/s", "Destination": "/e"},
    ],
}


def test_container_is_read_from_a_summary_and_its_labels() -> None:
    one = container_of(SUMMARY)

    assert (one.id, one.name, one.service, one.number) == ("abc", "app-web-2", "web", 2)
    assert (one.state, one.health, one.running, one.oneoff) == ("running", "healthy", True, False)
    assert (one.config_hash, one.image, one.networks) == ("h", "sha256:1", frozenset({"app_default"}))
    assert one.mounts == (("volume", "v", "/d"), ("bind", "/s", "/e"))
    assert one.depends_on == ("db", "cache")


@pytest.mark.parametrize(
    ("status", "health", "code"),
    [
        ("Up 1 second (health: starting)", "starting", 0),
        ("Up 1 second (unhealthy)", "unhealthy", 0),
        ("Exited (137) 2 hours ago", "", 137),
        ("Created", "", 0),
    ],
)
def test_status_says_health_and_exit_code(status: str, health: str, code: int) -> None:
    one = container_of({**SUMMARY, "Status": status})

    assert (one.health, one.exit_code) == (health, code)


def test_summary_of_a_stranger_is_read_too() -> None:
    one = container_of({"Id": "x", "Names": None, "Labels": None})

    assert (one.name, one.service, one.number, one.running) == ("", "", 0, False)


def test_containers_of_a_service_come_by_number_without_one_off_ones() -> None:
    labels = SUMMARY["Labels"]
    assert isinstance(labels, dict)
    run = container_of({**SUMMARY, "Labels": {**labels, "com.docker.compose.oneoff": "True"}})
    first = container_of({**SUMMARY, "Labels": {**labels, "com.docker.compose.container-number": "1"}})
    observed = Observed((container_of(SUMMARY), run, first))

    assert [one.number for one in observed.of("web")] == [1, 2]
    assert observed.depends_on() == {"web": ["db", "cache"]}


def test_resource_is_read_with_its_labels() -> None:
    labels = {
        "com.docker.compose.project": "app",
        "com.docker.compose.network": "n",
        "com.docker.compose.config-hash": "h",
    }
    network = resource_of({"Name": "app_n", "Id": "1", "Labels": labels}, "com.docker.compose.network")

    assert (network.name, network.id, network.project, network.key, network.config_hash) == (
        "app_n",
        "1",
        "app",
        "n",
        "h",
    )
    assert resource_of({"Name": "v"}, "k").id == "v"
