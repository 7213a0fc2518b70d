from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose.load.canonical import canonical
from wharf.compose.load.located import Map
from wharf.compose.load.yaml import parse
from wharf.compose.publish import findings


def trees(text: str) -> list[Map]:
    return [canonical(one, interpolated=False) for one in parse(text, "f") if isinstance(one, Map)]


def test_mounts_of_this_machine_are_found() -> None:
    found = project("services: {a: {image: x, volumes: ['/etc:/e', 'v:/v', /anonymous]}}\nvolumes: {v: {}}")

    assert findings.bind_mounts(found) == ["a: /etc:/e"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----", "private key"),
        ("id: AKIAIOSFODNN7EXAMPLE", "AWS client ID"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AWS secret key"),
        ("t=ghp_" + "a" * 36, "GitHub token"),
        ("jwt: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "JSON Web Token"),
        ("URL: postgres://me:hunter2@db/x", "password in an address"),
        ("xoxb-1234567890-abc", "Slack token"),
    ],
)
def test_what_looks_like_a_secret_is_found_and_not_shown(line: str, kind: str) -> None:
    assert findings.sensitive({"f": f"a: b\n{line}\n"}) == [f"f:2: {kind}"]


@pytest.mark.parametrize(
    "line", ["URL: postgres://me:${PASSWORD}@db/x", "image: host:5000/me/app@sha256:00", "a: eyJ"]
)
def test_usual_lines_are_no_secrets(line: str) -> None:
    assert findings.sensitive({"f": line}) == []


def test_variables_that_tell_of_secrets_are_found_where_they_are_literal() -> None:
    text = """
services:
  a: {image: x, environment: {DB_PASSWORD: hunter2, TOKEN: $TOKEN, API_KEY: "${KEY:-x}", NAME: me, SECRET: $$escaped}}
  b: {image: x, env_file: b.env}
  c: {image: x, environment: [PASSWORD]}
"""
    assert findings.environment(trees(text)) == [
        'service "a": literal value for "DB_PASSWORD", "SECRET"', 'service "b": env_file declared',
    ]  # fmt: skip


def test_contents_of_configs_are_found_where_they_are_literal() -> None:
    text = "configs: {a: {content: 'key: value'}, b: {content: '${ALL}'}, c: {file: f}}"

    assert findings.literal_configs(trees(text)) == ['config "a"']
