from __future__ import annotations

import pytest

from wharf.build.llb.builds import DEFINITION, FILENAME, LLB, build_of
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.spec.buildkit.ops_pb2 import BuildInput, BuildOp

_INPUTS = {DEFINITION: BuildInput(input=2)}


def test_a_definition_lies_in_a_file_of_an_input() -> None:
    assert build_of(BuildOp(builder=LLB, inputs=_INPUTS)) == (f"/{DEFINITION}", 2)
    assert build_of(BuildOp(builder=LLB, inputs=_INPUTS, attrs={FILENAME: "d/f"})) == ("/d/f", 2)


@pytest.mark.parametrize(
    ("op", "kind", "said"),
    [
        (BuildOp(builder=0, inputs=_INPUTS), NotImplementedHere, "a builder of their own"),
        (BuildOp(builder=LLB, inputs=_INPUTS, attrs={"x": "1"}), NotImplementedHere, "the attribute x"),
        (BuildOp(builder=LLB), InvalidArgument, "no llb definition input"),
    ],
)
def test_what_is_not_supported_or_missing_is_refused(op: BuildOp, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        build_of(op)
