"""When a copy of the interpreter is needed; that it is one is seen in tests/root/escapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wharf.runtime import sealing

_OWN = [{"type": "mount"}, {"type": "pid"}]


def _spec(**linux: Any) -> Any:
    return {"linux": {"namespaces": _OWN, **linux}}


def test_a_container_that_nobody_reaches_needs_none() -> None:
    assert not sealing.wanted(_spec(), "/")


@pytest.mark.parametrize(
    "namespaces",
    [[], [{"type": "mount"}], [{"type": "mount"}, {"type": "pid", "path": "/proc/1/ns/pid"}]],
)
def test_one_that_others_see_needs_one(namespaces: list[Any]) -> None:
    assert sealing.wanted(_spec(namespaces=namespaces), "/")


def test_one_that_may_trace_needs_one() -> None:
    spec = {**_spec(), "process": {"capabilities": {"bounding": ["CAP_SYS_PTRACE"]}}}

    assert sealing.wanted(spec, "/")  # type: ignore[arg-type]  # no more than is looked at


@pytest.mark.parametrize(("source", "wanted"), [("folder", True), ("file", False), ("missing", False)])
def test_one_that_shares_a_folder_needs_one(tmp_path: Path, source: str, wanted: bool) -> None:  # data
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    spec = {**_spec(), "mounts": [{"destination": "/x", "type": "bind", "source": source}]}

    assert sealing.wanted(spec, str(tmp_path)) == wanted  # type: ignore[arg-type]  # the same
