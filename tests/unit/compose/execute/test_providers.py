from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.compose.execute.providers import run_provider
from wharf.compose.model.resources import Provided
from wharf.compose.model.service import Service
from wharf.compose.provided.protocol import Variables
from wharf.errors import WharfError

DB = Service(label="db", provider=Provided(type="cloud", options={"size": ["1"]}))


def provider(folder: Path, script: str) -> dict[str, str]:
    path = folder / "cloud"
    path.write_text(f'#!/bin/sh\n[ "$2" != metadata ] || exit 1\n{script}\n')
    path.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "DOCKER_CONFIG": str(folder)}


def test_provider_tells_its_variables_and_its_progress(tmp_path: Path) -> None:
    news: list[tuple[str, str]] = []
    environment = provider(
        tmp_path,
        r"""
        printf '%s\n' '{"type": "info", "message": "one\ntwo"}'
        echo '{"type": "debug", "message": "x"}'
        printf '{"type": "setenv", "message": "ARGS=%s"}\n' "$*"
        """,
    )

    told = run_provider(DB, "up", "app", environment, lambda name, text: news.append((name, text)))

    assert told == Variables({"ARGS": "compose --project-name=app up --size=1 db"})
    assert news == [("Service db", "one")]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("""echo '{"type": "error", "message": "no money"}'; exec sleep 1000""", "db: no money"),
        ("echo out of; echo memory >&2; exit 7", "invalid response from plugin: out of"),
        ("echo memory >&2; exit 7", "db: failed to create service provider: exit status 7\n  memory"),
    ],
)
def test_failure_is_told_in_the_providers_words(tmp_path: Path, script: str, said: str) -> None:
    with pytest.raises(WharfError) as raised:
        run_provider(DB, "up", "app", provider(tmp_path, script), lambda *_: None)

    assert str(raised.value) == said


def test_provider_that_does_not_say_it_can_stop_is_not_stopped(tmp_path: Path) -> None:
    assert run_provider(DB, "stop", "app", provider(tmp_path, "exit 1"), lambda *_: None) is None


def test_file_that_is_no_program_is_told(tmp_path: Path) -> None:
    environment = provider(tmp_path, "")
    (tmp_path / "cloud").write_text("#!/no/such/shell\n")

    with pytest.raises(WharfError, match=r"cannot run the provider .*/cloud: no such file or directory"):
        run_provider(DB, "up", "app", environment, lambda *_: None)
