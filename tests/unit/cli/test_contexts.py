from __future__ import annotations

import json
from pathlib import Path

import pytest

from wharf.cli.contexts import endpoint
from wharf.cli.main import main
from wharf.errors import InvalidArgument


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DOCKER_HOST", "WHARF_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path


def test_context_is_made_used_shown_and_removed(capsys: pytest.CaptureFixture[str]) -> None:
    codes = [
        main(["context", "create", "far", "--description", "afar", "--docker", "host=tcp://192.0.2.1:2376"]),
        main(["context", "use", "far"]),
        main(["context", "show"]),
        main(["context", "rm", "far"]),
        main(["context", "rm", "-f", "far"]),
        main(["context", "show"]),
    ]
    told = capsys.readouterr()

    assert codes == [0, 0, 0, 1, 0, 0]
    assert told.out.split() == ["far", "far", "far", "default", "far", "default"]
    assert 'context "far" is in use, set -f flag to force remove' in told.err


def test_list_marks_the_one_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    main(["context", "create", "far", "--docker", "host=unix:///s"])
    capsys.readouterr()
    main(["context", "ls", "--format", "{{.Name}} {{.Current}} {{.DockerEndpoint}}"])
    assert capsys.readouterr().out == "default true unix:///run/wharf/wharf.sock\nfar false unix:///s\n"
    main(["context", "ls"])
    assert "default *" in capsys.readouterr().out


def test_update_changes_what_is_given_and_keeps_the_rest(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    (home / "ca").write_text("pem")
    main(["context", "create", "far", "--docker", f"host=tcp://192.0.2.1:2376,ca={home}/ca"])
    main(["context", "update", "far", "--description", "afar"])
    capsys.readouterr()
    main(["context", "inspect", "far"])
    (found,) = json.loads(capsys.readouterr().out)

    assert found["Metadata"] == {"Description": "afar"}
    assert found["Endpoints"] == {"docker": {"Host": "tcp://192.0.2.1:2376", "SkipTLSVerify": False}}
    assert found["TLSMaterial"] == {"docker": ["ca.pem"]}


@pytest.mark.parametrize("given", ["host", "colour=red"])
def test_endpoint_that_cannot_be_read_is_refused(given: str) -> None:
    with pytest.raises(InvalidArgument, match="unrecognized config key"):
        endpoint(given)


def test_engine_without_an_address_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["context", "create", "far"]) == 1
    assert "docker endpoint configuration is required" in capsys.readouterr().err
