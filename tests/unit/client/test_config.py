from __future__ import annotations

from pathlib import Path

import pytest

from wharf.client.config import config_folder, read_config, read_document, write_document
from wharf.errors import InvalidArgument


def test_folder_is_the_users_unless_named() -> None:
    assert config_folder({"HOME": "/home/me"}) == "/home/me/.docker"
    assert config_folder({"HOME": "/home/me", "DOCKER_CONFIG": "/c"}) == "/c"


def test_no_file_says_nothing(tmp_path: Path) -> None:
    assert read_config({"DOCKER_CONFIG": str(tmp_path)}) == {}


def test_file_that_is_not_json_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InvalidArgument, match=r"config.json is not JSON"):
        read_config({"DOCKER_CONFIG": str(tmp_path)})


def test_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("{}")
    (tmp_path / "link").symlink_to("real")
    write_document(str(tmp_path / "link"), {"a": 1})

    assert (tmp_path / "link").is_symlink()
    assert read_document(str(tmp_path / "real")) == {"a": 1}
