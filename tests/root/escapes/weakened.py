"""A copy of the package with lines of it changed: what an escape must be seen to succeed on.

An escape's test runs its attack twice: on the package as it is, which must resist, and on one whose defence is taken
away, which must fall; otherwise the attack is none. The change is data (``weakenings``): a file, a text that must be
in it just once (so a defence that is rewritten takes its test along), and what stands there instead. Races are
decided the same way: a *moment* is put into both copies, where the attacker strikes at the worst time instead of
trying a million times. What WHARF_WEAKENED names is taken away from all copies: the test must fall then.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.root.escapes.weakenings import WEAKENINGS, Patch
from tests.root.runtime.conftest import Bundle

VARIABLE = "WHARF_WEAKENED"
_SOURCE = Path(__file__).parents[3] / "src" / "wharf"
_DRIVE = Path(__file__).parent / "drive.py"
_COMMAND = "import sys; sys.path.insert(0, {!r}); from wharf.runtime.cli import main; sys.exit(main())"


class Outcome(NamedTuple):
    """What the container's program printed, and why it or something else was refused ("": it was not)."""

    output: str
    error: str


class Package:
    """A copy of the package on which attacks are run, in processes of their own."""

    def __init__(self, folder: Path, patches: tuple[Patch, ...]) -> None:
        self.folder = folder
        # With what is compiled; that of a changed module is out of date by its time.
        shutil.copytree(_SOURCE, folder / "wharf", copy_function=os.symlink)
        for patch in patches:
            path = folder / "wharf" / patch.module
            text = path.read_text()
            assert text.count(patch.old) == 1, f"{patch.module} has not once: {patch.old}"
            path.unlink()  # a link to the package itself
            path.write_text(text.replace(patch.old, patch.new))

    def run(self, bundle: Bundle, spec: Any, *, way: str = "direct", **more: Any) -> Outcome:
        """Run a container as the shim does; ``way``: "direct", "embryo", or "exec" of ``process`` in one."""
        job = {"way": way, "bundle": str(bundle.path), "rootfs": bundle.rootfs, "spec": spec, **more}
        return Outcome(*self._drive(job))

    def on_engine(self, name: str, root: Path, **more: Any) -> Any:
        """Return what the attack ``name`` of drive.py gets from an engine on the data root ``root``."""
        return self._drive({"way": "engine", "attack": name, "root": str(root), **more})

    def _drive(self, job: dict[str, Any]) -> Any:
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(_DRIVE), str(self.folder)],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def command(self, bundle: Bundle, *words: str, fds: tuple[int, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run ``wharf-runtime``."""
        program = [sys.executable, "-B", "-I", "-c", _COMMAND.format(str(self.folder))]
        with (bundle.path / "said").open("w+b") as said:
            done = subprocess.run(
                [*program, "--root", str(bundle.path / "state"), *words],
                cwd=bundle.path,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                pass_fds=fds,
                timeout=60,
                check=False,
            )
        return subprocess.CompletedProcess(done.args, done.returncode, (bundle.path / "said").read_text(), "")


class Packages:
    """Makes copies below ``folder``, one for each set of patches; all of them have those of ``everywhere``."""

    def __init__(self, folder: Path, everywhere: tuple[Patch, ...] = ()) -> None:
        self._folder = folder
        self._everywhere = everywhere
        self._made: dict[tuple[Patch, ...], Package] = {}

    def __call__(self, *patches: Patch) -> Package:
        patches = tuple(dict.fromkeys((*self._everywhere, *patches)))
        if patches not in self._made:
            self._made[patches] = Package(self._folder / str(len(self._made)), patches)
        return self._made[patches]


def everywhere() -> tuple[Patch, ...]:
    """Return what the environment has taken away from all copies: see ``make conformance``, "escapes"."""
    name = os.environ.get(VARIABLE)
    if not name:
        return ()
    return next(weakening.patches for weakening in WEAKENINGS if weakening.name == name)


def all_but_one(patches: tuple[Patch, ...]) -> list[tuple[Patch, ...]]:
    """Return the sets that leave one defence standing: each must do alone."""
    return [tuple(p for p in patches if p is not kept) for kept in patches]


def interpreter() -> str:
    """Return "device inode" of the host's interpreter."""
    status = os.stat(os.path.realpath(sys.executable))
    return f"{status.st_dev} {status.st_ino}"
