from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.lib.plugin_names import local_name


@pytest.mark.parametrize(
    ("remote", "name", "called"),
    [
        ("vendor/keeper", None, "vendor/keeper:latest"),
        ("host.example:5000/keeper:2", "", "host.example:5000/keeper:2"),
        ("vendor/keeper", "mine:1", "mine:1"),
        (f"vendor/keeper@sha256:{'0' * 64}", "mine", "mine:latest"),
    ],
)
def test_plugin_is_called_as_its_registry_does_unless_told_otherwise(
    remote: str, name: str | None, called: str
) -> None:
    assert local_name(remote, name) == called


def test_digest_is_no_name() -> None:
    with pytest.raises(InvalidArgument, match="refusing to create a plugin with digest reference"):
        local_name(f"vendor/keeper@sha256:{'0' * 64}", None)
