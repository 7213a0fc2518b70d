from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from wharf.errors import InvalidArgument
from wharf.runtime.creation import load_spec, make_cgroup

_CGROUP: Any = {"type": "cgroup", "source": "cgroup", "destination": "/sys/fs/cgroup"}
_GIVES = "wharf.kernel.cgroup.delegation"


class Group:
    freezer_folder = "/nonexistent"

    def create(self) -> None:
        """Do nothing."""

    def apply(self, resources: object) -> None:
        """Do nothing."""


def _loads(monkeypatch: pytest.MonkeyPatch, uid: int, *options: str) -> bool:
    """Return whether for a container with a cgroup namespace is loaded what gives groups away."""
    monkeypatch.delitem(sys.modules, _GIVES, raising=False)
    group: Any = Group()
    spec: Any = {
        "mounts": [{**_CGROUP, "options": list(options)}],
        "process": {"user": {"uid": uid}},
        "linux": {"namespaces": [{"type": "cgroup"}]},
    }
    assert make_cgroup(group, spec) is group
    return _GIVES in sys.modules


def test_what_gives_a_group_away_is_loaded_where_there_is_one_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not _loads(monkeypatch, 0)
    assert not _loads(monkeypatch, 5, "ro")
    assert _loads(monkeypatch, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "line 1 column"), ("{}", "no ociVersion"), ('{"annotations": {"": "x"}}', "empty name")],
)
def test_a_document_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "config.json").write_text(text)

    with pytest.raises(InvalidArgument, match=message):
        load_spec(str(tmp_path))
