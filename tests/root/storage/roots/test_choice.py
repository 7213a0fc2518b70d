from __future__ import annotations

from pathlib import Path

import pytest

from wharf.errors import Conflict, InvalidArgument
from wharf.storage.layout import DataRoot
from wharf.storage.roots.choice import DRIVERS, choose

pytestmark = pytest.mark.root


@pytest.fixture
def data(tmp_path: Path) -> DataRoot:
    root = DataRoot(tmp_path)
    root.containers.mkdir()
    return root


def test_a_root_stays_with_its_driver_while_it_has_containers(data: DataRoot) -> None:
    assert choose("vfs", data).name == "vfs"
    assert choose("overlay2", data).name == "overlay2"
    data.container("c").mkdir()
    with pytest.raises(Conflict, match="containers of the storage driver overlay2"):
        choose("vfs", data)
    assert choose("overlay2", data).name == "overlay2"


def test_what_does_not_exist_is_refused_with_what_does(data: DataRoot) -> None:
    with pytest.raises(InvalidArgument, match="known are overlay2, vfs, fuse-overlayfs, btrfs"):
        choose("zfs", data)


def test_drivers_are_called_as_docker_calls_them() -> None:
    assert [name for name, make in DRIVERS.items() if make().name != name] == []
