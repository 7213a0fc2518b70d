from __future__ import annotations

import pytest

from wharf.build.graph.operations import Source
from wharf.build.llb.sources import source_of
from wharf.errors import NotImplementedHere
from wharf.spec.buildkit.ops_pb2 import SourceOp


def test_how_a_folder_is_brought_does_not_count_and_what_of_it_does() -> None:
    op = SourceOp(
        identifier="local://context",
        attrs={"local.session": "s", "local.unique": "u", "local.followpaths": '["a"]', "local.sharedkeyhint": "h"},
    )

    assert source_of(op, {}, "") == (
        Source("local://context", (("local.followpaths", '["a"]'), ("local.sharedkeyhint", "h"))),
        "local://context",
    )


@pytest.mark.parametrize(
    ("op", "said"),
    [
        (SourceOp(identifier="oci-layout://x"), "sources of the kind oci-layout"),
        (SourceOp(identifier="https://x", attrs={"http.header.x": "y"}), "attribute http.header.x"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(op: SourceOp, said: str) -> None:
    with pytest.raises(NotImplementedHere, match=said):
        source_of(op, {}, "")
