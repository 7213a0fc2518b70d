from __future__ import annotations

from wharf.cli.compose.lists import image_row, process_rows, project_rows

_P = "com.docker.compose."


def _summary(service: str, number: int, state: str = "running", project: str = "app") -> dict[str, object]:
    labels = {
        f"{_P}project": project,
        f"{_P}service": service,
        f"{_P}container-number": str(number),
        f"{_P}project.config_files": f"/{project}/compose.yaml",
    }
    names = [f"/{project}-{service}-{number}"]
    return {"Names": names, "State": state, "Labels": labels, "Image": "site"}


def test_a_project_shows_how_many_of_its_containers_are_in_each_state() -> None:
    found = [_summary("web", 1), _summary("web", 2), _summary("db", 1, "exited"), _summary("a", 1, project="shop")]

    assert project_rows(found) == [
        {"Name": "app", "Status": "exited(1), running(2)", "ConfigFiles": "/app/compose.yaml"},
        {"Name": "shop", "Status": "running(1)", "ConfigFiles": "/shop/compose.yaml"},
    ]


def test_an_image_is_shown_by_the_name_that_the_container_was_asked_for() -> None:
    image: dict[str, object] = {
        "Id": "sha256:" + "1" * 64,
        "RepoTags": ["other:2", "site:latest"],
        "Os": "linux",
        "Architecture": "arm64",
        "Variant": "v8",
        "Size": 2_500_000,
        "Created": "1970-01-01T00:01:40.5Z",
    }

    assert image_row(_summary("web", 1), image, 160.5) == {
        "Container": "app-web-1",
        "Repository": "site",
        "Tag": "latest",
        "Platform": "linux/arm64/v8",
        "ImageID": "1" * 12,
        "Size": "2.5MB",
        "Created": "About a minute ago",
    }


def test_processes_of_several_containers_are_one_table() -> None:
    tops: list[tuple[dict[str, object], dict[str, object]]] = [
        (_summary("web", 1), {"Titles": ["UID", "PID"], "Processes": [["root", "7"]]}),
        (_summary("db", 1), {"Titles": ["PID", "CMD"], "Processes": [["8", "postgres"]]}),
    ]

    assert process_rows(tops) == [
        ["SERVICE", "#", "UID", "PID", "CMD"],
        ["web", "1", "root", "7", "-"],
        ["db", "1", "-", "8", "postgres"],
    ]
