from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.storage.attributes import attributes_of

pytestmark = pytest.mark.root


def test_attributes_come_in_order_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    (tmp_path / "link").symlink_to("f")
    os.setxattr(tmp_path / "f", "user.z", b"2")
    os.setxattr(tmp_path / "f", "user.a", b"1")

    assert list(attributes_of(os.fsencode(tmp_path / "f")).items()) == [("user.a", b"1"), ("user.z", b"2")]
    assert attributes_of(os.fsencode(tmp_path / "link")) == {}


def test_a_malformed_capability_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    os.setxattr(tmp_path / "f", "security.capability", b"")
    os.setxattr(tmp_path / "f", "user.a", b"1")

    assert attributes_of(os.fsencode(tmp_path / "f")) == {"user.a": b"1"}
