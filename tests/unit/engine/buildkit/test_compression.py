from __future__ import annotations

import pytest

from wharf.engine.buildkit.compression import compression_of
from wharf.errors import InvalidArgument
from wharf.images.packing import Compression


def test_the_options_say_how() -> None:
    assert compression_of({}) == Compression()
    assert compression_of({"compression": "uncompressed", "force-compression": "true"}) == Compression("", force=True)
    assert compression_of({"compression": "estargz", "compression-level": "9"}) == Compression("estargz", 9)
    assert compression_of({"compression": "zstd", "compression-level": "19"}, oci=False) == Compression(
        "zstd", 19, oci=False
    )


@pytest.mark.parametrize(
    ("kind", "level", "said"),
    [("lz4", "", "unsupported layer compression type lz4"), ("gzip", "10", "0 to 9"), ("zstd", "x", "0 to 22")],
)
def test_what_there_is_not_is_refused(kind: str, level: str, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        compression_of({"compression": kind, "compression-level": level})
