from __future__ import annotations

import json
from pathlib import Path

import pytest

from wharf.cli.build.layouts import REF_NAME, enter, listed
from wharf.errors import InvalidArgument


def test_a_name_is_that_of_one_manifest(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert listed(folder) == []
    enter(folder, {"digest": "a"}, [{REF_NAME: "1", "n": "x"}, {REF_NAME: "2", "n": "x"}])
    enter(folder, {"digest": "b"}, [{REF_NAME: "2", "n": "x"}])

    assert [(one["digest"], one["annotations"]) for one in listed(folder)] == [
        ("a", {REF_NAME: "1", "n": "x"}),
        ("b", {REF_NAME: "2", "n": "x"}),
    ]
    assert json.loads((tmp_path / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}


def test_an_index_that_is_malformed_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("{")
    with pytest.raises(InvalidArgument, match=r"index\.json is malformed"):
        listed(str(tmp_path))
