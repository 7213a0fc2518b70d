from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.storage.overlay_marks import make_whiteout, mark_opaque
from wharf.storage.roots.union import Union
from wharf.storage.trees import FOLDER

pytestmark = pytest.mark.root


@pytest.fixture
def layers(tmp_path: Path) -> list[Path]:
    """Three layers, the uppermost first: the middle one hides a folder, the upper one deletes a file and a folder."""
    upper, middle, lower = (tmp_path / name for name in ("upper", "middle", "lower"))
    for path in ("lower/hidden/below", "lower/d/deep/f", "lower/gone/f", "middle/hidden/above", "upper/d/deep/g"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    (lower / "file").write_text("1")
    (middle / "turned").write_text("a file")
    (lower / "turned").mkdir()
    os.setxattr(lower / "d/deep/f", "user.k", b"v")
    fd = os.open(middle / "hidden", FOLDER)
    mark_opaque(fd)
    os.close(fd)
    fd = os.open(upper, FOLDER)
    make_whiteout(b"file", fd)
    make_whiteout(b"gone", fd)
    os.close(fd)
    return [upper, middle, lower]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (b"", [b"d", b"hidden", b"turned"]),
        (b"hidden", [b"above"]),
        (b"d/deep", [b"f", b"g"]),
        (b"gone", []),
        (b"turned", []),
        (b"nowhere", []),
    ],
)
def test_a_folder_lists_what_an_overlay_would(layers: list[Path], path: bytes, names: list[bytes]) -> None:
    with Union(layers) as union:
        assert sorted(union.listing(path)) == names


def test_a_name_is_of_the_uppermost_layer_that_has_it(layers: list[Path]) -> None:
    with Union(layers) as union:
        top, status = union.listing(b"d/deep")[b"f"]

        assert status.st_ino == (layers[2] / "d/deep/f").stat().st_ino
        assert union.attributes(top, b"d/deep/f") == {"user.k": b"v"}
