from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose.load.environment import is_on
from wharf.compose.load.located import ComposeError

APP = """\
services:
  web:
    image: x
    env_file: [a.env, {path: b.env, required: false}, {path: c.env, format: raw}]
    label_file: l
    environment: {OWN: mine, FROM: null}
    labels: {l2: own}
"""


def test_files_lie_below_what_the_service_says_itself() -> None:
    service = project(
        {
            "/app/compose.yaml": APP,
            "/app/a.env": "A=1\nOWN=file\nREF=$A-$OWN-$OUT\n",
            "/app/c.env": "RAW='$A'\nFROMC\n",
            "/app/l": "l1=x\nl2=file\n",
        },
        variables={"FROM": "outside", "OUT": "out", "FROMC": "c"},
    ).services["web"]

    assert service.environment == {
        "A": "1",
        "OWN": "mine",
        "REF": "1-mine-out",
        "RAW": "'$A'",
        "FROMC": "c",
        "FROM": "outside",
    }
    assert service.labels == {"l1": "x", "l2": "own"}
    assert (service.env_file, service.label_file) == ([], ["/app/l"])


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"/app/c.env": ""}, "/app/compose.yaml:4: env file /app/a.env not found"),
        ({"/app/a.env": "", "/app/c.env": ""}, "/app/compose.yaml:5: label file /app/l not found"),
        ({"/app/a.env": "A B\n"}, "/app/a.env:1: unexpected text after variable name 'A': 'B'"),
    ],
)
def test_missing_or_malformed_file_is_told(files: dict[str, str], said: str) -> None:
    with pytest.raises(ComposeError) as raised:
        project({"/app/compose.yaml": APP, **files})

    assert str(raised.value) == said


def test_format_that_is_not_known_is_refused() -> None:
    with pytest.raises(ComposeError, match="unsupported env_file format 'ini'"):
        project({"/app/compose.yaml": "services: {a: {image: x, env_file: [{path: e, format: ini}]}}", "/app/e": ""})


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), (" True ", True), ("yes", True), ("0", False), ("", False)]
)
def test_variables_of_composes_own_switch(value: str, *, expected: bool) -> None:
    assert is_on(value) is expected
