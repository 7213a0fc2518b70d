from __future__ import annotations

from pathlib import Path

import pytest

from wharf.engine.containers import init
from wharf.errors import NotImplementedHere


def test_only_a_container_with_processes_of_its_own_gets_one() -> None:
    assert init.wanted({"Init": True})
    assert not init.wanted({"Init": False})
    assert not init.wanted({"Init": True, "PidMode": "host"})


def test_the_hosts_program_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "tini-static"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert init.mount(init.find()).source == str(program)


def test_without_one_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NotImplementedHere, match="install the package tini"):
        init.find()


def test_the_program_that_is_named_is_taken_if_it_is_one(tmp_path: Path) -> None:
    program = tmp_path / "own"
    program.touch(mode=0o755)

    assert init.find(str(program)) == str(program)
    program.chmod(0o644)
    with pytest.raises(NotImplementedHere, match="which init-path names"):
        init.find(str(program))
