from __future__ import annotations

from pathlib import Path

import pytest
from bench.builds import Builds
from bench.sides import Side


def side(tmp_path: Path, name: str = "docker") -> Side:
    """A side whose command notes what it is asked, and where."""
    client = tmp_path / "client"
    client.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    client.chmod(0o755)
    return Side(name, "socket", 0, ((str(client),), (str(client), "own")), {"PATH": "/bin:/usr/bin"})


def test_commands_that_were_never_run_are_other_ones_each_time(tmp_path: Path) -> None:
    builds = Builds(tmp_path / "b", None)
    texts = []
    for _ in range(2):
        assert builds.steps_cold(side(tmp_path)) > 0
        texts.append((tmp_path / "b/steps/Dockerfile").read_text())

    assert texts[0] != texts[1]
    assert texts[0].count("RUN ") == 10
    assert (tmp_path / "asked").read_text().splitlines()[0] == f"build --quiet --network none {tmp_path}/b/steps"


def test_known_commands_are_run_once_before(tmp_path: Path) -> None:
    builds = Builds(tmp_path / "b", None)
    builds.steps_known(side(tmp_path, "podman"))

    assert (tmp_path / "asked").read_text().splitlines() == [
        f"own build --layers --quiet --network none {tmp_path}/b/known"
    ] * 2


def test_stages_do_not_need_each_other(tmp_path: Path) -> None:
    builds = Builds(tmp_path / "b", None)
    builds.stages(side(tmp_path), 3)

    lines = (tmp_path / "b/stages/Dockerfile").read_text().splitlines()
    assert sum(line.startswith("FROM") for line in lines) == 4
    assert sum(line.startswith("COPY --from=s") for line in lines) == 3


def test_stages_in_turn_need_the_one_before(tmp_path: Path) -> None:
    builds = Builds(tmp_path / "b", None)
    builds.stages_in_turn(side(tmp_path), 2)

    lines = (tmp_path / "b/turns/Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("FROM")] == ["FROM bench-busybox AS s0", "FROM s0 AS s1"]


def test_a_context_is_lent_by_our_own_client_alone(tmp_path: Path) -> None:
    builds = Builds(tmp_path / "b", None)
    folder = tmp_path / "b/context"
    folder.mkdir(parents=True)
    builds.context_lent(side(tmp_path, "wharf"))
    with pytest.raises(OSError, match="lent nothing"):
        builds.context_lent(side(tmp_path))

    assert (tmp_path / "asked").read_text().splitlines() == [
        "builder prune -af",
        f"own build --quiet --file {folder}/Dockerfile.mounts {folder}",
    ]
