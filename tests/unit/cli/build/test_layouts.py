from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
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


def test_builds_that_write_to_one_layout_at_a_time_lose_nothing(tmp_path: Path) -> None:
    names = [str(number) for number in range(64)]
    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(enter, str(tmp_path), {"digest": name}, [{REF_NAME: name}]) for name in names]:
            done.result()

    assert {one["digest"] for one in listed(str(tmp_path))} == set(names)
    assert sorted(os.listdir(tmp_path)) == ["index.json", "oci-layout"]
