"""What is scanned for software besides a build's result (BuildKit, docs/attestations/sbom).

Two arguments ask for it, of the whole file or of a stage: yes, no, or names of stages. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from wharf.build.convert.contexts import context_edge
from wharf.build.convert.options import Options
from wharf.build.convert.stage import StageState
from wharf.build.graph.vertex import Edge

SCAN_CONTEXT: Final = "BUILDKIT_SBOM_SCAN_CONTEXT"
SCAN_STAGE: Final = "BUILDKIT_SBOM_SCAN_STAGE"
_CONTEXT: Final = "context"
_BOOLEANS: Final = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


def scans_of(
    target: StageState, built: Iterable[StageState], shared: Mapping[str, str], options: Options
) -> dict[str, Edge | None]:
    """Return what is to be scanned, by name; None for a stage without files.

    Args:
        target: the stage that the result is of, which is scanned anyway.
        built: all that it needs.
        shared: the arguments from before the first FROM.
        options: the build's.
    """
    found: dict[str, Edge | None] = {}
    if _is_asked(SCAN_CONTEXT, target, shared):
        found[_CONTEXT] = context_edge(options, "")
    for stage in built:
        if stage is not target and _is_asked(SCAN_STAGE, stage, shared):
            found[stage.name] = stage.edge
    return found


def _is_asked(argument: str, stage: StageState, shared: Mapping[str, str]) -> bool:
    """Whether an argument asks for a stage; the stage's own word counts, that of the file where it has none."""
    own = stage.arguments.get(argument)
    value = shared.get(argument, "") if own is None else own
    return _BOOLEANS[value] if value in _BOOLEANS else bool(value) and stage.name in value.split(",")
