from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from wharf.client.credentials import HUB, as_auths, auth_header, config_header, everything_stored, registry_of
from wharf.errors import InvalidArgument, Unavailable


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("busybox", HUB),
        ("me/app:1", HUB),
        ("docker.io/me/app", HUB),
        ("localhost/app", "localhost"),
        ("host:5000/app@sha256:0", "host:5000"),
        ("quay.io/a/b/c", "quay.io"),
    ],
)
def test_credentials_belong_to_a_registry(reference: str, expected: str) -> None:
    assert registry_of(reference) == expected


def header(folder: Path, config: object, reference: str = "quay.io/a") -> object:
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    found = auth_header(reference, {"DOCKER_CONFIG": str(folder)})
    return json.loads(base64.urlsafe_b64decode(found)) if found else None


def test_what_is_stored_for_the_registry_is_sent(tmp_path: Path) -> None:
    auths = {"https://quay.io/v1/": {"auth": "dTpw"}, HUB: {"identitytoken": "t", "email": "x"}}

    assert header(tmp_path, {"auths": auths}) == {"auth": "dTpw", "serveraddress": "quay.io"}
    assert header(tmp_path, {"auths": auths}, "busybox") == {"identitytoken": "t", "serveraddress": HUB}
    assert header(tmp_path, {"auths": auths}, "other.io/a") is None


@pytest.mark.parametrize("environment", [{"DOCKER_CONFIG": "/nonexistent"}, {"HOME": "/nonexistent"}])
def test_nobody_asks_when_nothing_is_stored(environment: dict[str, str]) -> None:
    assert auth_header("busybox", environment) == ""


def test_a_malformed_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="is not JSON"):
        header(tmp_path, "{")


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    path = folder / "docker-credential-test"
    path.write_text(f"#!/bin/sh\nread server\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_helper_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, """echo '{"Username":"u","Secret":"'$server'"}'""")

    assert header(tmp_path, {"credHelpers": {"quay.io": "test"}}) == {
        "username": "u",
        "password": "quay.io",
        "serveraddress": "quay.io",
    }
    assert header(tmp_path, {"credsStore": "test"}, "busybox")["password"] == HUB  # type: ignore[index]


def test_a_helper_may_keep_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, """echo '{"Username":"<token>","Secret":"t"}'""")

    assert header(tmp_path, {"credsStore": "test"}) == {"identitytoken": "t", "serveraddress": "quay.io"}


def test_a_helper_that_has_none_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "echo credentials not found in native keychain; exit 1")

    assert header(tmp_path, {"credsStore": "test"}) is None


@pytest.mark.parametrize("script", ["echo broken; exit 1", "echo no JSON"])
def test_a_helper_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program(tmp_path, monkeypatch, script)
    with pytest.raises(Unavailable, match="error getting credentials"):
        header(tmp_path, {"credsStore": "test"})


def test_a_helper_that_is_not_there_or_is_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="docker-credential-none"):
        header(tmp_path, {"credsStore": "none"})
    with pytest.raises(InvalidArgument, match="invalid credential helper"):
        header(tmp_path, {"credsStore": "../evil"})


def test_a_build_is_given_all_that_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        """if [ "$1" = list ]; then echo '{"listed.io":"u"}'; else echo '{"Username":"u","Secret":"'$server'"}'; fi"""
    )
    program(tmp_path, monkeypatch, script)
    config = {
        "auths": {"quay.io": {"auth": "dTpw"}, "nothing.io": {}},
        "credHelpers": {"helped.io": "test"},
        "credsStore": "test",
    }
    (tmp_path / "config.json").write_text(json.dumps(config))

    sent = json.loads(base64.urlsafe_b64decode(config_header({"DOCKER_CONFIG": str(tmp_path)})))
    assert sent == {
        "quay.io": {"auth": "dTpw"},
        "listed.io": {"username": "u", "password": "listed.io"},
        "helped.io": {"username": "u", "password": "helped.io"},
    }
    assert config_header({"DOCKER_CONFIG": "/nonexistent"}) == ""


def test_everything_that_is_stored_is_written_as_docker_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, """echo '{"Username":"u","Secret":"p"}'""")
    config = {
        "auths": {"one": {"auth": "dTpw"}, "two": {"identitytoken": "t"}, "none": {}},
        "credHelpers": {"three": "test"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))

    assert as_auths(everything_stored({"DOCKER_CONFIG": str(tmp_path)})) == {
        "one": {"auth": "dTpw"}, "two": {"identitytoken": "t"}, "three": {"auth": "dTpw"},
    }  # fmt: skip
