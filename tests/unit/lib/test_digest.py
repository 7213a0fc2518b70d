from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.lib.digest import chain_ids, digest_of, hex_of, parse_digest, short


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:" + "A" * 64, "md5:" + "a" * 32, "sha256:" + "a" * 64 + "\n"]
)
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid digest format"):
        parse_digest(text)


def test_a_chain_id_counts_all_layers_below() -> None:
    a, b = digest_of(b"a"), digest_of(b"b")

    assert chain_ids([]) == []
    assert chain_ids([a, b]) == [a, digest_of(f"{a} {b}".encode())]


def test_digits_are_cut_for_people() -> None:
    assert (hex_of("sha256:ff"), short(digest_of(b""))) == ("ff", "e3b0c44298fc")
