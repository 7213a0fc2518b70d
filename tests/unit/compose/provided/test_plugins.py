from __future__ import annotations

from pathlib import Path

import pytest

from wharf.compose.provided.plugins import model_runner, plugin, provider_program
from wharf.errors import InvalidArgument, NotFound


def program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_plugins_of_docker_come_before_programs_in_path(tmp_path: Path) -> None:
    environment = {"DOCKER_CONFIG": str(tmp_path), "PATH": f"{tmp_path}/bin"}
    in_path = program(tmp_path / "bin/cloud")
    assert provider_program("cloud", environment) == in_path

    theirs = program(tmp_path / "cli-plugins/docker-cloud")
    assert provider_program("cloud", environment) == plugin("cloud", environment) == theirs

    extra = program(tmp_path / "more/docker-cloud")
    (tmp_path / "config.json").write_text(f'{{"cliPluginsExtraDirs": ["{tmp_path}/more"]}}')
    assert provider_program("cloud", environment) == extra


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    environment = {"DOCKER_CONFIG": str(tmp_path), "PATH": str(tmp_path)}

    with pytest.raises(NotFound, match="neither a plugin docker-cloud nor a program cloud in PATH"):
        provider_program("cloud", environment)
    with pytest.raises(NotFound, match="requires Docker Model plugin"):
        model_runner(environment)
    with pytest.raises(InvalidArgument, match="'compose' is not a valid provider type"):
        provider_program("compose", environment)


def test_names_do_not_lead_out_of_the_folders_of_plugins(tmp_path: Path) -> None:
    program(tmp_path / "evil")
    (tmp_path / "cli-plugins/docker-a").mkdir(parents=True)

    assert plugin("a/../../evil", {"DOCKER_CONFIG": str(tmp_path)}) == ""
