from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

import pytest
from tests.root.images.conftest import tar

from wharf.lib.digest import digest_of
from wharf.storage.tar_entry import Corrupt
from wharf.storage.unpacking.unpacked import UnpackedLayer, unpack_layer

pytestmark = pytest.mark.root


@pytest.fixture
def folder(tmp_path: Path) -> int:
    (tmp_path / "layer").mkdir()
    return os.open(tmp_path / "layer", os.O_RDONLY)


def test_a_layer_is_read_to_its_end_whatever_follows_the_archive(folder: int, tmp_path: Path) -> None:
    plain = tar(f=b"123") + bytes(100_000)
    stored = io.BytesIO(gzip.compress(plain))

    assert unpack_layer(stored, folder) == UnpackedLayer(digest_of(plain), 3, "gzip")
    assert stored.read() == b""
    assert (tmp_path / "layer/f").read_bytes() == b"123"
    os.close(folder)


def test_a_cut_layer_is_refused(folder: int) -> None:
    with pytest.raises(Corrupt):
        unpack_layer(io.BytesIO(gzip.compress(tar(f=os.urandom(50_000)))[:-1000]), folder)
    os.close(folder)
