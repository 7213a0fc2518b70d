"""On a folder that looks like resctrl: the machine that runs the tests need not have Intel RDT."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.errors import Conflict, InvalidArgument, NotFound, Unavailable
from wharf.runtime import resctrl
from wharf.runtime.resctrl import Class
from wharf.spec.oci_runtime import IntelRdt


def _made(root: Path, name: str, schemata: str) -> Path:
    folder = root / name
    folder.mkdir()
    (folder / "schemata").write_text(schemata)
    return folder


def test_a_class_of_its_own_is_made_and_goes_with_the_container(tmp_path: Path) -> None:
    wanted: IntelRdt = {
        "l3CacheSchema": "L3:0=f;1=f0",
        "memBwSchema": "MB:0=20;1=70",
        "schemata": ["L2:0=ff"],
    }
    made = resctrl.enter(str(tmp_path), Class(wanted, "box"), 42)

    assert made == [str(tmp_path / "box")]
    assert (tmp_path / "box/tasks").read_text() == "42"
    assert (tmp_path / "box/schemata").read_text() == "L2:0=ff\n"  # the last of three writes, each in one call
    for name in ("tasks", "schemata"):
        (tmp_path / "box" / name).unlink()  # in resctrl they are no files of the folder's
    resctrl.leave(made)
    resctrl.leave(made)
    assert os.listdir(tmp_path) == []


def test_lines_are_written_in_the_specifications_order() -> None:
    wanted: IntelRdt = {"schemata": ["L2:0=ff"], "memBwSchema": "MB:0=20", "l3CacheSchema": "L3:0=f"}

    assert resctrl.lines_of(wanted) == ["L3:0=f", "MB:0=20", "L2:0=ff"]


def test_a_class_that_is_there_is_joined_when_it_is_as_asked_for_and_stays(tmp_path: Path) -> None:
    folder = _made(tmp_path, "gold", "    L3:0=f;1=0f0\n    MB:0= 20;1= 70\n")

    wanted: IntelRdt = {"closID": "gold", "l3CacheSchema": "L3:1=f0"}
    assert resctrl.enter(str(tmp_path), Class({**wanted, "memBwSchema": "MB:0=20"}, "box"), 42) == []
    assert (folder / "tasks").read_text() == "42"
    (folder / "schemata").write_text("L3:0=f;1=0f0\n")
    with pytest.raises(Conflict, match=r"other schemata than .* asks for: L3"):
        resctrl.enter(str(tmp_path), Class({"closID": "gold", "l3CacheSchema": "L3:0=ff"}, "box"), 42)


def test_schemata_are_written_into_a_class_that_is_there_too(tmp_path: Path) -> None:
    folder = _made(tmp_path, "gold", "L3:0=f\nL2:0=f\n")

    resctrl.enter(str(tmp_path), Class({"closID": "gold", "schemata": ["L2:0=ff"]}, "box"), 42)

    assert (folder / "schemata").read_text() == "L2:0=ff\n"


def test_a_cache_may_have_lines_for_code_and_data() -> None:
    assert resctrl.lines_of({"l3CacheSchema": "L3CODE:0=f\nL3DATA:0=f0\n"}) == ["L3CODE:0=f", "L3DATA:0=f0"]


def test_more_processes_join_the_class_and_are_monitored(tmp_path: Path) -> None:
    (_made(tmp_path, "box", "") / "mon_groups/box").mkdir(parents=True)

    resctrl.join(str(tmp_path), Class({"enableMonitoring": True}, "box"), 43)
    resctrl.join(str(tmp_path), Class({}, "gone"), 43)

    assert [(tmp_path / name).read_text() for name in ("box/tasks", "box/mon_groups/box/tasks")] == ["43", "43"]
    assert os.listdir(tmp_path) == ["box"]


def test_a_class_without_lines_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="closID gold is not there"):
        resctrl.enter(str(tmp_path), Class({"closID": "gold"}, "box"), 42)


def test_the_default_class_is_the_mount_itself(tmp_path: Path) -> None:
    assert resctrl.enter(str(tmp_path), Class({"closID": "/"}, "box"), 42) == []
    assert (tmp_path / "tasks").read_text() == "42"


def test_it_is_monitored_in_a_group_of_its_name(tmp_path: Path) -> None:
    (_made(tmp_path, "gold", "") / "mon_groups").mkdir()
    made = resctrl.enter(str(tmp_path), Class({"closID": "gold", "enableMonitoring": True}, "box"), 42)

    assert made == [str(tmp_path / "gold/mon_groups/box")]
    assert (tmp_path / "gold/mon_groups/box/tasks").read_text() == "42"


def test_what_the_kernel_refuses_leaves_nothing(tmp_path: Path) -> None:
    (_made(tmp_path, "gold", "") / "mon_groups").touch()

    with pytest.raises(NotADirectoryError):
        resctrl.enter(str(tmp_path), Class({"closID": "gold", "enableMonitoring": True}, "box"), 42)
    assert sorted(os.listdir(tmp_path)) == ["gold"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"closID": "a/b"},
        {"closID": ".."},
        {"memBwSchema": "L3:0=f"},
        {"schemata": ["L3:0=f\nMB:0=1"]},
        {"schemata": ["x"]},
        {"schemata": ["L3:0"]},
        {"memBwSchema": "MB:0=f"},
    ],
)
def test_what_cannot_be_meant_is_refused(wanted: IntelRdt) -> None:
    with pytest.raises(InvalidArgument, match=r"linux\.intelRdt"):
        Class(wanted, "box")


def test_the_file_system_is_found_or_its_absence_told() -> None:
    assert (
        resctrl.mount_point("proc /proc proc rw 0 0\nresctrl /sys/fs/resctrl resctrl rw 0 0\n") == "/sys/fs/resctrl"
    )
    with pytest.raises(Unavailable, match="no resctrl file system is mounted"):
        resctrl.mount_point("proc /proc proc rw 0 0\n")
