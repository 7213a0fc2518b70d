from __future__ import annotations

import json
from pathlib import Path

import pytest

from wharf.runtime.log import Log


def test_errors_are_shown_and_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log"

    Log(str(path), "json").error('it is "so"')

    assert capsys.readouterr().err == 'wharf-runtime: it is "so"\n'
    entry = json.loads(path.read_text())
    assert (entry["level"], entry["msg"]) == ("error", 'it is "so"')


def test_warnings_go_to_the_log_and_without_one_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log"

    Log(str(path), "text").warn("hm")
    Log("", "text").warn("hm")

    assert path.read_text().startswith('level="warning" msg="hm" time=')
    assert capsys.readouterr().err == "wharf-runtime: warning: hm\n"
