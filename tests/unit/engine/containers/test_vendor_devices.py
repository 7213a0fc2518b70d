from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.unit.engine.ocispec.test_cdi import PLAIN

from wharf.engine.containers.vendor_devices import discover, with_devices
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import HostConfig

WANTED: HostConfig = {"DeviceRequests": [{"Driver": "cdi", "DeviceIDs": ["v.com/c=x"]}]}


def _write(folder: Path, path: str, name: str = "vendor.json") -> None:
    folder.mkdir(exist_ok=True)
    node = {"path": path, "permissions": "rw"}
    devices = [{"name": "x", "containerEdits": {"deviceNodes": [node]}}]
    document = {"cdiVersion": "0.6.0", "kind": "v.com/c", "devices": devices}
    (folder / name).write_text(json.dumps(document))


def test_a_container_that_asks_for_none_stays_as_it_is() -> None:
    assert with_devices(PLAIN, {}, []) is PLAIN


def test_a_device_node_gets_its_numbers_from_the_host(tmp_path: Path) -> None:
    _write(tmp_path, "/dev/null")

    made = with_devices(PLAIN, WANTED, [tmp_path])

    status = os.stat("/dev/null")
    assert [(d["path"], d["type"], d["major"], d["minor"]) for d in made["linux"]["devices"]] == [
        ("/dev/null", "c", os.major(status.st_rdev), os.minor(status.st_rdev))
    ]


def test_a_later_folder_wins(tmp_path: Path) -> None:
    _write(tmp_path / "etc", "/dev/null")
    _write(tmp_path / "run", "/dev/zero")

    made = with_devices(PLAIN, WANTED, [tmp_path / "etc", tmp_path / "run"])

    assert [d["path"] for d in made["linux"]["devices"]] == ["/dev/zero"]


def test_a_file_that_cannot_be_read_is_named_when_the_device_is_missing(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")

    with pytest.raises(InvalidArgument, match=r"broken\.json"):
        with_devices(PLAIN, WANTED, [tmp_path])


def test_all_that_is_described_is_discovered_beside_files_that_are_broken(tmp_path: Path) -> None:
    _write(tmp_path, "/dev/null")
    (tmp_path / "more.yaml").write_text("cdiVersion: 0.6.0\nkind: v.com/a\ndevices:\n- name: y\n")
    (tmp_path / "broken.yaml").write_text("kind: [")
    (tmp_path / "hooks.json").write_text(
        json.dumps(
            {
                "cdiVersion": "0.6.0",
                "kind": "v.com/h",
                "devices": [{"name": "h", "containerEdits": {"hooks": [{"hookName": "sometime", "path": "/h"}]}}],
            }
        )
    )

    names, broken = discover([tmp_path / "absent", tmp_path])

    assert names == ["v.com/a=y", "v.com/c=x"]
    assert [Path(fault.partition(":")[0]).name for fault in broken] == ["broken.yaml", "hooks.json"]
    assert "Invalid enum value 'sometime'" in broken[1]
    assert not any("\n" in fault for fault in broken)


def test_a_node_that_does_not_exist_is_named(tmp_path: Path) -> None:
    _write(tmp_path, "/dev/not-there")

    with pytest.raises(InvalidArgument, match=r"failed to stat CDI host device '/dev/not-there'"):
        with_devices(PLAIN, WANTED, [tmp_path])
