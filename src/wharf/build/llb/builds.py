"""Build operations: graphs that are found in files of a result (BuildKit, pb.BuildOp)."""

from __future__ import annotations

import posixpath
from typing import Final

from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.spec.buildkit.ops_pb2 import BuildOp

LLB: Final = -1
"""The builder that does a definition; it is no input."""

DEFINITION: Final = "buildkit.llb.definition"
"""The input that holds the definition, and by default its file."""

FILENAME: Final = "llbbuild.filename"


def build_of(op: BuildOp) -> tuple[str, int]:
    """Return where a definition lies, and in which input.

    Raises:
        NotImplementedHere: another builder is to do it, or an attribute is not supported; with its name.
        InvalidArgument: no input holds it.
    """
    if op.builder != LLB:
        raise NotImplementedHere(
            "build operations with a builder of their own are not supported by this build of wharf"
        )
    for name in op.attrs:
        if name != FILENAME:
            raise NotImplementedHere(
                f"the attribute {name} of a build operation is not supported by this build of wharf"
            )
    if DEFINITION not in op.inputs:
        raise InvalidArgument(f"no llb definition input {DEFINITION} found")
    return posixpath.join("/", op.attrs.get(FILENAME) or DEFINITION), op.inputs[DEFINITION].input
