from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from wharf.client.logins import HUB, erase, server_key, store, username
from wharf.errors import InvalidArgument, Unavailable

HELPER = """#!/bin/sh
echo "$1 $(cat)" >> "$(dirname "$0")/said"
[ "$1" != erase ] || { echo 'no such key'; exit 1; }
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment with a configuration folder, and docker-credential-box on PATH."""
    helper = tmp_path / "docker-credential-box"
    helper.write_text(HELPER)
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return {"DOCKER_CONFIG": str(tmp_path / "config")}


def config(home: dict[str, str]) -> Path:
    return Path(home["DOCKER_CONFIG"]) / "config.json"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("docker.io", HUB),
        (HUB, HUB),
        ("https://registry.example.com/v2/", "registry.example.com"),
        ("localhost:5000", "localhost:5000"),
    ],
)
def test_credentials_are_kept_by_registry(address: str, key: str) -> None:
    assert server_key(address) == key


@pytest.mark.parametrize("address", ["https://", "two words"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidArgument):
        server_key(address)


def test_file_keeps_them_for_its_owner_alone_and_what_else_it_holds(home: dict[str, str]) -> None:
    config(home).parent.mkdir()
    config(home).write_text('{"psFormat": "x", "auths": {"other": {"auth": "eDp5"}}}')
    told = store("r.example", {"username": "me", "password": "secret"}, home)

    assert told == str(config(home))
    assert config(home).stat().st_mode & 0o777 == 0o600
    assert json.loads(config(home).read_text()) == {
        "psFormat": "x",
        "auths": {"other": {"auth": "eDp5"}, "r.example": {"auth": "bWU6c2VjcmV0"}},
    }
    assert username("r.example", home) == "me"


def test_token_takes_the_passwords_place(home: dict[str, str]) -> None:
    store("r.example", {"username": "me", "password": "secret", "identitytoken": "t"}, home)

    assert json.loads(config(home).read_text())["auths"] == {"r.example": {"auth": "bWU6", "identitytoken": "t"}}


def test_logout_forgets_one_registry(home: dict[str, str]) -> None:
    store("a.example", {"username": "me", "password": "x"}, home)
    store("b.example", {"username": "me", "password": "x"}, home)
    erase("a.example", home)
    erase("never.example", home)

    assert [*json.loads(config(home).read_text())["auths"]] == ["b.example"]


def test_helper_keeps_them_when_one_is_named(home: dict[str, str], tmp_path: Path) -> None:
    config(home).parent.mkdir()
    config(home).write_text('{"credHelpers": {"r.example": "box"}}')
    told = store("r.example", {"username": "me", "password": "secret"}, home)

    assert told == ""
    assert (tmp_path / "said").read_text() == ('store {"ServerURL":"r.example","Username":"me","Secret":"secret"}\n')
    assert "secret" not in config(home).read_text()
    with pytest.raises(Unavailable, match="error erasing credentials: docker-credential-box: no such key"):
        erase("r.example", home)


def test_logout_has_a_helper_forget_every_name_that_a_registry_may_have_there(
    home: dict[str, str], tmp_path: Path
) -> None:
    config(home).parent.mkdir()
    config(home).write_text('{"credsStore": "box"}')
    (tmp_path / "docker-credential-box").write_text(HELPER.replace("erase ]", "erase ] || [ -e $0.one ]"))
    (tmp_path / "docker-credential-box.one").touch()  # one success is enough
    erase("r.example", home)
    erase(HUB, home)

    names = ["r.example", "http://r.example", "https://r.example", HUB]
    assert (tmp_path / "said").read_text().splitlines() == [f"erase {name}" for name in names]


@pytest.mark.parametrize(("helper", "error"), [("nobody-has-this", Unavailable), ("../evil", InvalidArgument)])
def test_helper_that_cannot_be_run_is_named(home: dict[str, str], helper: str, error: type[Exception]) -> None:
    config(home).parent.mkdir()
    config(home).write_text(json.dumps({"credsStore": helper}))
    with pytest.raises(error, match=helper):
        store("r.example", {"username": "me", "password": "x"}, home)
