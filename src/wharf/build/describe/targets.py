"""The targets of a Dockerfile: its stages, and what their comments say of them. Pure."""

from __future__ import annotations

from wharf.build.dockerfile import instructions as kinds
from wharf.lib.tables import render


def as_document(dockerfile: kinds.Dockerfile) -> dict[str, object]:
    """Return the targets for programs; the last one is the default."""
    last = len(dockerfile.stages) - 1
    return {"targets": [_target(stage.begin, default=i == last) for i, stage in enumerate(dockerfile.stages)]}


def _target(begin: kinds.From, *, default: bool) -> dict[str, object]:
    fields: dict[str, object] = {
        "name": begin.name,
        "default": default,
        "description": begin.description,
        "base": begin.base,
        "platform": begin.platform,
        "location": {"ranges": [{"start": {"line": begin.lines[0]}, "end": {"line": begin.lines[1]}}]},
    }
    return {name: value for name, value in fields.items() if value}


def as_text(dockerfile: kinds.Dockerfile) -> str:
    """Return the targets as a table."""
    rows = [("TARGET", "DESCRIPTION")]
    for number, stage in enumerate(dockerfile.stages, 1):
        default = number == len(dockerfile.stages)
        rows.append((f"{stage.name} (default)" if default and stage.name else stage.name or _unnamed(default),
                     stage.begin.description))  # fmt: skip
    return render(rows)


def _unnamed(default: bool) -> str:  # noqa: FBT001  # the one thing that is known of it
    return "(default)" if default else ""
