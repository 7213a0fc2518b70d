from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.compose.execute.models import ModelRunner, configuration
from wharf.compose.model.project import Model
from wharf.errors import WharfError

RUNNER = """#!/bin/sh
echo "$*" >> {log}
case "$1" in
    docker-cli-plugin-metadata) echo '{{"Version": "v1.1.0"}}' ;;
    ls) echo '[{{"tags": ["ai/here"]}}]' ;;
    status) echo '{{"endpoint": "http://runner", "running": true}}' ;;
    pull) [ "$2" != ai/none ] || {{ echo "no such model" >&2; exit 4; }} ;;
esac
"""


def runner(folder: Path) -> ModelRunner:
    path = folder / "docker-model"
    path.write_text(RUNNER.format(log=folder / "log"))
    path.chmod(0o755)
    return ModelRunner(str(path), {"PATH": os.environ["PATH"]})


def test_models_are_pulled_where_they_are_missing_and_configured(tmp_path: Path) -> None:
    models = {
        "a": Model(model="ai/here", context_size=9),
        "b": Model(name="new", model="ai/new", runtime_flags=["--x", "y"]),
    }
    news: list[str] = []

    assert runner(tmp_path).have(models, lambda name, text: news.append(f"{name} {text}")) == "http://runner"
    assert (tmp_path / "log").read_text().splitlines() == [
        "ls --json", "configure --context-size 9 ai/here", "pull ai/new", "docker-cli-plugin-metadata",
        "configure ai/new -- --x y", "status --json",
    ]  # fmt: skip
    assert news == ["Model a Configuring", "Model a Configured", "Model new Pulling", "Model new Pulled",
                    "Model new Configuring", "Model new Configured"]  # fmt: skip


def test_failure_is_told_in_the_runners_words(tmp_path: Path) -> None:
    with pytest.raises(WharfError, match="docker-model pull exited with status 4\n  no such model"):
        runner(tmp_path).have({"a": Model(model="ai/none")}, lambda *_: None)


def test_runtime_flags_need_a_runner_that_knows_them() -> None:
    with pytest.raises(WharfError, match="need a Docker Model plugin"):
        configuration(Model(model="m", runtime_flags=["x"]), (1, 0, 5))
