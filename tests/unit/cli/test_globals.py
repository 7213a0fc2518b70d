from __future__ import annotations

from pathlib import Path

import pytest

from wharf.cli.flags import UsageError
from wharf.cli.globals import take, target
from wharf.client.contexts import Contexts
from wharf.errors import InvalidArgument, NotFound

USUAL = "unix:///run/wharf/wharf.sock"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose configuration has the context ``far`` in use."""
    environment = {"DOCKER_CONFIG": str(tmp_path)}
    document = {"Name": "far", "Endpoints": {"docker": {"Host": "tcp://192.0.2.1:2376"}}}
    Contexts(environment).write("far", document, new=True)
    (tmp_path / "config.json").write_text('{"currentContext": "far"}')
    return environment


@pytest.mark.parametrize(
    ("words", "more", "host"),
    [
        ([], {}, "tcp://192.0.2.1:2376"),
        ([], {"DOCKER_CONTEXT": "default"}, USUAL),
        ([], {"DOCKER_HOST": "unix:///d"}, "unix:///d"),
        ([], {"DOCKER_HOST": "unix:///d", "WHARF_HOST": "unix:///w"}, "unix:///w"),
        (["-H", "unix:///h"], {"DOCKER_HOST": "unix:///d"}, "unix:///h"),
        (["-c", "far"], {"DOCKER_HOST": "unix:///d"}, "tcp://192.0.2.1:2376"),
        (["--context=default"], {}, USUAL),
    ],
)
def test_engine_is_the_one_that_was_named_last(
    home: dict[str, str], words: list[str], more: dict[str, str], host: str
) -> None:
    values, _ = take([*words, "ps"])
    meant = target(values, {**home, **more})

    assert (meant.host, meant.explicit) == (host, host != USUAL)


def test_unknown_context_and_two_engines_are_refused(home: dict[str, str]) -> None:
    with pytest.raises(NotFound):
        target(take(["-c", "near", "ps"])[0], home)
    with pytest.raises(InvalidArgument, match="cannot specify both --host and --context"):
        target(take(["-c", "far", "-H", "unix:///s"])[0], home)


def test_tls_is_by_flags_or_by_the_environment(tmp_path: Path) -> None:
    environment = {"DOCKER_HOST": "tcp://h:1", "DOCKER_CONFIG": str(tmp_path)}
    assert target(None, environment).tls is None

    by_environment = target(None, {**environment, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"}).tls
    by_flags = target(take(["--tls", "--tlscert", "/c.pem", "ps"])[0], environment).tls

    assert by_environment is not None
    assert by_flags is not None
    assert (by_environment.authority, by_environment.verify) == ("/certs/ca.pem", True)
    assert (by_flags.certificate, by_flags.key, by_flags.verify) == ("/c.pem", f"{tmp_path}/key.pem", False)


@pytest.mark.parametrize("words", [["--nope", "ps"], ["-l", "loud", "ps"], ["-H"]])
def test_wrong_flags_are_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        take(words)
