from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wharf.runtime.errors import StartFailed
from wharf.shim.other.bundle import document

_SPEC: Any = {
    "root": {"path": "upper", "readonly": True},
    "process": {"args": ["true"], "user": {"uid": 0, "gid": 0, "username": "web", "groupnames": ["staff"]}},
    "mounts": [
        {
            "destination": "/i",
            "type": "overlay",
            "source": "overlay",
            "options": ["ro", "lowerdir+=/a", "lowerdir+=/b"],
        }
    ],
    "linux": {"cgroupsPath": "/other"},
    "hooks": {},
}


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("web:x:33:44::/:/bin/sh\n")
    (tmp_path / "etc/group").write_text("staff:x:50:\n")
    fd = os.open(tmp_path, os.O_PATH)
    yield fd
    os.close(fd)


def test_names_become_numbers_and_layers_one_option(root: int) -> None:
    made = document(_SPEC, root=root, path="/r", cgroup="/g")

    assert made["root"] == {"path": "/r", "readonly": True}
    assert made["process"]["user"] == {"uid": 33, "gid": 44, "additionalGids": [44, 50]}
    assert made["mounts"][0]["options"] == ["ro", "lowerdir=/a:/b"]
    assert made["linux"]["cgroupsPath"] == "/g"
    assert "hooks" not in made


def test_what_only_our_own_runtime_can_do_is_refused(root: int) -> None:
    part = {"destination": "/v", "type": "bind", "source": "/a", "options": ["rbind", "wharf.part=x"]}
    with pytest.raises(StartFailed, match=r"at /v \(wharf\.part=x\) needs wharf's own runtime"):
        document({**_SPEC, "mounts": [part]}, root=root, path="/r", cgroup="/g")
