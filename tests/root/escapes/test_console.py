"""CVE-2025-52565: a terminal that is found by its name, which the container has given to something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.root.escapes.weakened import Outcome, Package, Packages, Patch
from tests.root.runtime.conftest import PTS, Bundle

pytestmark = pytest.mark.root

_PARAMETER = "/proc/sys/kernel/core_pattern"
_SHOW = '    fd = kernel.open_tree("", _CLONE_IT, dir_fd=slave)\n'


def _moment(folder: Path) -> Patch:
    """The attacker's, who shares /dev: after the terminal's birth, another folder lies on /dev/pts."""
    covered = f"kernel.move_mount(kernel.open_tree({str(folder)!r}), '', dir_fd=open_in_root(root, '/dev/pts'))"
    return Patch(
        "runtime/console.py",
        "            _show(root, slave)\n",
        f"            {covered}\n            _show(root, slave)\n",
    )


def test_the_console_is_the_terminal_whatever_bears_its_name(bundle: Bundle, packages: Packages) -> None:
    fake = bundle.path / "fake"
    fake.mkdir()
    (fake / "0").symlink_to(_PARAMETER)
    spec = bundle.spec(["stat", "-c", "%F", "/dev/console"], terminal=True)
    by_name = Patch(
        "runtime/console.py",
        _SHOW,
        '    fd = kernel.open_tree("", _CLONE_IT, dir_fd=open_in_root(root, "/dev/pts/0"))\n',
    )
    moment = _moment(fake)

    assert packages(moment, by_name).run(bundle, spec).output.strip() == "regular empty file"
    assert packages(moment).run(bundle, spec).output.strip() == "character special file"


def test_the_console_is_not_put_where_a_link_leads(bundle: Bundle, packages: Packages) -> None:
    (bundle.path / "dev/pts").mkdir(parents=True)
    (bundle.path / "dev/console").symlink_to("/etc/passwd")
    spec = bundle.spec(["stat", "-c", "%F", "/etc/passwd"], terminal=True)
    spec["mounts"][1] = _bind_dev(bundle)
    followed = Patch(
        "runtime/console.py",
        'return openat2(dev, "console", os.O_PATH, resolve=_NO_LINKS)',
        'return openat2(dev, "../etc/passwd", os.O_PATH)',
    )

    assert packages(followed).run(bundle, spec).output.strip() == "character special file"
    assert "symbolic links" in packages().run(bundle, spec).error


@pytest.mark.parametrize("way", ["direct", "exec"])
def test_nothing_is_opened_that_only_looks_like_a_multiplexer(bundle: Bundle, packages: Packages, way: str) -> None:
    (bundle.path / "pts").mkdir()
    (bundle.path / "pts/ptmx").symlink_to("/proc/1/stat")
    spec = bundle.spec(["true"], terminal=way == "direct")
    process = bundle.spec(["true"], terminal=True)["process"]
    spec["mounts"][2] = {**PTS, "type": "bind", "source": str(bundle.path / "pts"), "options": ["bind"]}
    if way == "exec":
        spec["process"]["args"] = ["sleep", "60"]

    def attack(package: Package) -> Outcome:
        return package.run(bundle, spec, way=way, process=process)

    assert "not a devpts file system" in attack(packages()).error


def _bind_dev(bundle: Bundle) -> Any:
    return {"destination": "/dev", "type": "bind", "source": str(bundle.path / "dev"), "options": ["bind"]}
