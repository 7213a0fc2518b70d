from __future__ import annotations

from wharf.cli.compose.ps import json_fields, service_row

SUMMARY: dict[str, object] = {
    "Id": "1" * 64,
    "Names": ["/app-web-1"],
    "Image": "x",
    "Command": "run",
    "Created": 100,
    "State": "exited",
    "Status": "Exited (3) 1 hour ago",
    "Labels": {"com.docker.compose.service": "web", "com.docker.compose.project": "app"},
    "Ports": [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}],
}


def test_row_names_the_service_and_how_it_ended() -> None:
    row = service_row(SUMMARY, 160, full=False)

    assert (row["Name"], row["Service"], row["Project"], row["ExitCode"], row["Health"]) == (
        "app-web-1",
        "web",
        "app",
        "3",
        "",
    )
    assert (
        service_row({**SUMMARY, "Status": "Up 1 minute (health: starting)"}, 160, full=False)["Health"] == "starting"
    )


def test_json_has_numbers_and_published_ports() -> None:
    publisher = {"URL": "0.0.0.0", "TargetPort": 80, "PublishedPort": 8080, "Protocol": "tcp"}

    assert json_fields(SUMMARY) == {"ExitCode": 3, "Publishers": [publisher]}
