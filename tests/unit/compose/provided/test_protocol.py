from __future__ import annotations

import pytest

from wharf.compose.model.resources import Provided
from wharf.compose.provided.protocol import Message, Variables, arguments, keep, message_of, metadata_of
from wharf.errors import InvalidArgument, WharfError

CLOUD = Provided(type="cloud", options={"type": ["mysql"], "size": ["1", "2"]})
METADATA = b"""{"description": "x", "up": {"parameters": [{"name": "type", "required": true, "type": "string"}]},
    "down": {"parameters": []}}"""


def test_options_of_a_provider_that_tells_nothing_are_all_handed_on() -> None:
    for answer in (b"", b"unknown command", b"{}", b"[]"):
        assert arguments(metadata_of(answer), CLOUD, "up", "app", "db") == [
            "compose", "--project-name=app", "up", "--type=mysql", "--size=1", "--size=2", "db",
        ]  # fmt: skip


def test_options_are_those_that_the_command_takes() -> None:
    metadata = metadata_of(METADATA)

    assert arguments(metadata, CLOUD, "up", "app", "db") == [
        "compose",
        "--project-name=app",
        "up",
        "--type=mysql",
        "db",
    ]
    assert arguments(metadata, CLOUD, "down", "app", "db") == ["compose", "--project-name=app", "down", "db"]
    with pytest.raises(
        InvalidArgument, match='required parameter "type" is missing from provider "cloud" definition'
    ):
        arguments(metadata, Provided(type="cloud"), "up", "app", "db")


def test_provider_is_stopped_if_it_says_that_it_can() -> None:
    assert arguments(metadata_of(METADATA), CLOUD, "stop", "app", "db") is None
    assert arguments(metadata_of(b""), CLOUD, "stop", "app", "db") is None
    assert arguments(metadata_of(b'{"description": "x", "stop": {}}'), CLOUD, "stop", "app", "db") == [
        "compose", "--project-name=app", "stop", "db",
    ]  # fmt: skip


def test_variables_are_kept_apart() -> None:
    variables = Variables()
    for line in (b"\n", b'{"type": "setenv", "message": "URL=a=b"}', b'{"type": "rawsetenv", "message": "KEY="}',
                 b'{"type": "info", "message": "X=1"}'):  # fmt: skip
        message = message_of(line)
        if message is not None:
            keep(variables, message)

    assert variables == Variables({"URL": "a=b"}, {"KEY": ""})


@pytest.mark.parametrize(
    "line",
    [b"hello", b"[]", b'{"type": "other", "message": "x"}', b'{"type": "setenv", "message": "X"}',
     b'{"type": "setenv", "message": "=1"}', b'{"type": "setenv", "message": "A=\\u0000"}'],
)  # fmt: skip
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(WharfError, match=r"^invalid response from plugin: "):
        keep(Variables(), message_of(line) or Message())
