from __future__ import annotations

from pathlib import Path

import pytest
from conformance import docker_py_client


def test_what_is_fetched_already_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "suite").mkdir()
    monkeypatch.setattr(docker_py_client, "_BUILD", tmp_path)

    assert docker_py_client.release() == tmp_path / "suite"


def test_home_begins_empty_but_for_a_store_of_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, program in (("credentials/bin", "pass"), ("credentials/bin", "gpg"), ("venv", "complete")):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / program).write_text("#!/bin/sh\necho $0 $* >> $HOME/asked\n")
        (tmp_path / folder / program).chmod(0o755)
    monkeypatch.setattr(docker_py_client, "_BUILD", tmp_path)
    monkeypatch.setenv("DOCKER_HOST", "unix:///other")

    client = docker_py_client.prepare(tmp_path / "scratch")

    home = tmp_path / "scratch/home"
    asked = [line.split()[-1] for line in (home / "asked").read_text().splitlines()]
    assert (client.python, client.environment["HOME"], asked) == (
        tmp_path / "venv/bin/python",
        str(home),
        ["never", "judge@example.com"],
    )
    assert "DOCKER_HOST" not in client.environment
