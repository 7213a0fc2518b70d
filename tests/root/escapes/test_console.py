"""CVE-2025-52565: a terminal that is found by its name, which the container has given to something else."""

from __future__ import annotations

import os
import select
from pathlib import Path
from typing import Any

import pytest
from tests.root.escapes.weakened import Package, Packages
from tests.root.escapes.weakenings import ANY_MULTIPLEXER, CONSOLE_BY_NAME, CONSOLE_FOLLOWED, Patch
from tests.root.runtime.conftest import PTS, Bundle

pytestmark = pytest.mark.root

_PARAMETER = "/proc/sys/kernel/core_pattern"


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
    moment = _moment(fake)

    assert packages(moment, *CONSOLE_BY_NAME.patches).run(bundle, spec).output.strip() == "regular empty file"
    assert packages(moment).run(bundle, spec).output.strip() == "character special file"


def test_the_console_is_not_put_where_a_link_leads(bundle: Bundle, packages: Packages) -> None:
    (bundle.path / "dev/pts").mkdir(parents=True)
    (bundle.path / "dev/console").symlink_to("/etc/passwd")
    spec = bundle.spec(["stat", "-c", "%F", "/etc/passwd"], terminal=True)
    spec["mounts"][1] = _bind_dev(bundle)

    assert packages(*CONSOLE_FOLLOWED.patches).run(bundle, spec).output.strip() == "character special file"
    assert "symbolic links" in packages().run(bundle, spec).error


@pytest.mark.parametrize("way", ["direct", "exec"])
def test_nothing_is_opened_that_only_looks_like_a_multiplexer(bundle: Bundle, packages: Packages, way: str) -> None:
    """A pipe shows that it was opened: to open another thing may do something already."""
    (bundle.path / "pts").mkdir()
    os.mkfifo(bundle.path / "pts/ptmx")
    spec = bundle.spec(["true"], terminal=way == "direct")
    process = bundle.spec(["true"], terminal=True)["process"]
    spec["mounts"][2] = {**PTS, "type": "bind", "source": str(bundle.path / "pts"), "options": ["bind"]}
    if way == "exec":
        spec["process"]["args"] = ["sleep", "60"]

    def attack(package: Package) -> tuple[bool, str]:
        pipe = os.open(bundle.path / "pts/ptmx", os.O_RDONLY | os.O_NONBLOCK)
        try:
            error = package.run(bundle, spec, way=way, process=process).error
            poll = select.poll()
            poll.register(pipe, 0)  # a writer that came and went leaves POLLHUP
            return bool(poll.poll(0)), error
        finally:
            os.close(pipe)

    assert attack(packages(*ANY_MULTIPLEXER.patches))[0]
    opened, error = attack(packages())
    assert not opened
    assert "not a devpts file system" in error


def _bind_dev(bundle: Bundle) -> Any:
    return {"destination": "/dev", "type": "bind", "source": str(bundle.path / "dev"), "options": ["bind"]}
