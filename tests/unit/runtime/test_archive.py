"""The archive of the command's modules: written, read, out of date, and done without."""

from __future__ import annotations

import marshal
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wharf.runtime.cli import COMMANDS
from wharf.runtime.start_up import HEAD_BYTES

_TOP = Path(__file__).parents[3]


class Installed:
    """The package as an installer leaves it below ``prefix``, with the command's script."""

    def __init__(self, prefix: Path) -> None:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.site = prefix / "lib" / version / "site-packages"
        for name in ("runtime", "kernel", "lib", "spec"):
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(_TOP / "src/wharf" / name, self.site / "wharf" / name, ignore=ignore)
        for name in ("__init__.py", "errors.py"):
            shutil.copy(_TOP / "src/wharf" / name, self.site / "wharf" / name)
        (self.site / "wharf/runtime/__pycache__").mkdir()
        self.archive = self.site / f"wharf/runtime/__pycache__/command.{sys.implementation.cache_tag}"
        (prefix / "bin").mkdir()
        self.program = prefix / "bin/wharf-runtime"
        shutil.copy(_TOP / "scripts/wharf-runtime", self.program)
        (prefix / "bin/wharf").write_text(f"#!{sys.executable}\n")

    def __call__(self, *words: str, program: Path | None = None) -> str:
        """Return what the command prints; it looks at no environment."""
        line = [program or self.program, *words]
        done = subprocess.run(line, capture_output=True, text=True, env={"PYTHONPATH": "/nonsense"}, check=False)
        return done.stdout + done.stderr

    def loaded(self) -> str:
        """Return from where `state` has its modules: "archive" or "files"."""
        show = self.site / "wharf/runtime/state.py"
        text = show.read_text()
        show.write_text(f"{text}\n__import__('sys').stderr.write(f'{{__spec__ and \"files\" or \"archive\"}} ')\n")
        self("state", "none")
        said = self("state", "none")
        show.write_text(text)
        return said.split()[0]


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    return Installed(tmp_path)


def test_the_first_command_writes_it_and_the_next_reads_it(installed: Installed) -> None:
    first = installed("--root", "/nonexistent", "state", "none")

    assert installed.archive.exists()
    assert first == "wharf-runtime: container does not exist: none\n"
    assert installed("--root", "/nonexistent", "state", "none") == first
    assert installed.loaded() == "archive"


@pytest.mark.parametrize("other", ["", "wharf/runtime/start_up.py"])
def test_a_source_that_has_changed_counts(installed: Installed, other: str) -> None:
    installed("state", "none")
    source = installed.site / "wharf/runtime/state.py"
    status = source.stat()
    source.write_text(source.read_text().replace("container does not exist", "no container of the name"))
    if other:  # it alone tells that something has changed
        os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
        os.utime(installed.site / other, ns=(0, 0))
        for compiled in installed.site.rglob("*.pyc"):
            compiled.unlink()

    assert installed("state", "none") == "wharf-runtime: no container of the name: none\n"
    assert installed("state", "none") == "wharf-runtime: no container of the name: none\n"


@pytest.mark.parametrize("content", [b"", b"junk", marshal.dumps(0)])
def test_one_that_is_damaged_is_written_anew(installed: Installed, content: bytes) -> None:
    installed("state", "none")
    good = installed.archive.read_bytes()
    installed.archive.write_bytes(content)

    assert "container does not exist" in installed("state", "none")
    assert len(installed.archive.read_bytes()) == len(good)


def test_every_command_finds_its_modules(installed: Installed) -> None:
    """Without an id most of them only say that they need one."""
    said = {command: installed(command, "--nonsense") for command in ("state", *COMMANDS)}

    assert set(said.values()) == {"wharf-runtime: flag provided but not defined: --nonsense\n"}


def test_a_module_that_only_some_containers_need_is_found_too(installed: Installed) -> None:
    installed("features")

    assert '"linux"' in installed("features")
    assert "Traceback" not in installed("spec", "--bundle", str(installed.site))
    assert (installed.site / "config.json").exists()


def test_where_it_cannot_be_written_the_command_runs_all_the_same(installed: Installed) -> None:
    folder = installed.archive.parent
    shutil.rmtree(folder)
    folder.write_text("no folder")

    assert installed("state", "none") == "wharf-runtime: container does not exist: none\n"


def test_a_link_to_the_script_starts_it(installed: Installed, tmp_path: Path) -> None:
    link = tmp_path / "link"
    os.symlink(installed.program, link)

    assert installed("state", "none", program=link) == "wharf-runtime: container does not exist: none\n"


def test_a_virtual_environment_may_have_a_space_in_its_name(tmp_path: Path) -> None:
    prefix = tmp_path / "of mine"
    installed = Installed(prefix)
    real = Path(os.path.realpath(sys.executable))
    (prefix / "pyvenv.cfg").write_text(f"home = {real.parent}\n")
    (prefix / "bin/python3").symlink_to(real)
    (prefix / "bin/wharf").unlink()

    assert installed("state", "none") == "wharf-runtime: container does not exist: none\n"


def test_installed_elsewhere_it_is_found_by_site_packages(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "bin/wharf").write_text("#!/usr/bin/env python3\n")
    moved = tmp_path / "elsewhere/bin"
    moved.mkdir(parents=True)
    for name in ("wharf", "wharf-runtime"):
        shutil.move(tmp_path / "bin" / name, moved / name)
    (moved / "wharf").write_text(f"#!{sys.executable}\n")

    # This interpreter's site packages have the package, for it runs these tests.
    assert installed("state", "none", program=moved / "wharf-runtime") == (
        "wharf-runtime: container does not exist: none\n"
    )


def test_nobody_else_may_write_to_it_whatever_the_umask(installed: Installed) -> None:
    before = os.umask(0)
    try:
        installed("--root", "/nonexistent", "state", "none")
    finally:
        os.umask(before)

    assert os.stat(installed.archive).st_mode & 0o777 == 0o644


def test_one_that_others_can_write_to_is_not_executed(installed: Installed) -> None:
    installed("state", "none")
    installed.archive.chmod(0o666)

    assert "container does not exist" in installed("state", "none")
    assert os.stat(installed.archive).st_mode & 0o777 == 0o644


@pytest.mark.parametrize("kept", [100, None])
def test_code_that_is_damaged_or_cut_off_is_written_anew(installed: Installed, kept: int | None) -> None:
    installed("state", "none")
    good = installed.archive.read_bytes()
    begin = HEAD_BYTES
    installed.archive.write_bytes(good[: begin + kept] if kept else good[:begin] + bytes(len(good) - begin))

    assert "container does not exist" in installed("state", "none")
    assert len(installed.archive.read_bytes()) == len(good)
    assert installed.loaded() == "archive"
