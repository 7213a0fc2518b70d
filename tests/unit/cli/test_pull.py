from __future__ import annotations

import pytest

from wharf.cli.pull import canonical, with_tag


@pytest.mark.parametrize(
    ("name", "tagged", "whole"),
    [
        ("busybox", "busybox:latest", "docker.io/library/busybox"),
        ("me/app:1", "me/app:1", "docker.io/me/app:1"),
        ("host:5000/app", "host:5000/app:latest", "host:5000/app"),
        ("localhost/a", "localhost/a:latest", "localhost/a"),
        ("a@sha256:0", "a@sha256:0", "docker.io/library/a@sha256:0"),
    ],
)
def test_names_are_completed_as_docker_completes_them(name: str, tagged: str, whole: str) -> None:
    assert (with_tag(name), canonical(name)) == (tagged, whole)
