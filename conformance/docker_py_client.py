"""What docker-py's tests need around them: the suite itself, an interpreter, and a store of credentials."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_BUILD = Path(__file__).parent.parent / "build/docker-py"
_RELEASE = "docker==7.0.0"  # the releases after it leave their tests out of the source distribution
_REQUIREMENTS = (
    "paramiko==3.4.0", "pytest==7.4.2", "pytest-timeout==2.1.0", "requests==2.31.0", "urllib3==2.0.7",
    "websocket-client==1.7.0",
)  # fmt: skip
# Installed, the helpers would become the machine's: every client that finds one beside `pass` keeps passwords in it.
_PACKAGES = ("golang-docker-credential-helpers", "pass")
_PROGRAMS = ("docker-credential-pass", "pass")


@dataclass(frozen=True, slots=True)
class Client:
    """An interpreter that can run the tests, and the environment to run it in."""

    python: Path
    environment: dict[str, str]


def release() -> Path:
    """Return the folder of the last release that has its tests in it; fetched if need be."""
    folder = _BUILD / "suite"
    if not folder.exists():
        shutil.rmtree(_BUILD / "fetched", ignore_errors=True)
        command = (
            "download", "--quiet", "--no-deps", "--no-binary", "docker", "--dest", _BUILD / "fetched", _RELEASE,
        )  # fmt: skip
        subprocess.run((sys.executable, "-m", "pip", *command), check=True)
        [archive] = (_BUILD / "fetched").glob("*.tar.gz")
        shutil.unpack_archive(archive, _BUILD / "fetched", filter="data")
        [found] = (path for path in (_BUILD / "fetched").iterdir() if path.is_dir())
        found.rename(folder)
    return folder


def prepare(scratch: Path) -> Client:
    """Return an interpreter with what the tests import, and an environment with a store of credentials in it."""
    programs = _credential_helper()
    home = scratch / "home"
    home.mkdir(parents=True)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "WHARF_"))},
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(home),
        "PASSWORD_STORE_DIR": str(home / "store"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    _begin_store(environment)
    return Client(_interpreter(), environment)


def _interpreter() -> Path:
    """Return the interpreter of a virtual environment with what docker-py and its tests need; made if need be."""
    folder = _BUILD / "venv"
    if not (stamp := folder / "complete").exists():
        subprocess.run((sys.executable, "-m", "venv", "--clear", folder), check=True)
        subprocess.run((folder / "bin/pip", "install", "--quiet", *_REQUIREMENTS), check=True)
        stamp.touch()
    return folder / "bin/python"


def _credential_helper() -> Path:
    """Return a folder with docker-credential-pass and its ``pass``; fetched if need be, and not installed."""
    folder = _BUILD / "credentials/bin"
    if folder.exists():
        return folder
    fetched = _BUILD / "credentials/fetched"
    shutil.rmtree(fetched, ignore_errors=True)
    fetched.mkdir(parents=True)
    subprocess.run(("apt-get", "download", "-qq", *_PACKAGES), cwd=fetched, check=True)
    for package in fetched.glob("*.deb"):
        subprocess.run(("dpkg-deb", "--extract", package, fetched), check=True)
    draft = fetched / "bin"
    draft.mkdir()
    for program in _PROGRAMS:  # not the other helper of the package's, which the tests would prefer
        shutil.copy2(fetched / "usr/bin" / program, draft)
    draft.rename(folder)
    return folder


def _begin_store(environment: dict[str, str]) -> None:
    """Give ``pass`` a key and an empty store below ``HOME``."""
    who = "judge@example.com"
    Path(environment["HOME"], ".gnupg").mkdir(mode=0o700)
    for command in (
        ("gpg", "--quiet", "--batch", "--passphrase", "", "--quick-gen-key", who, "default", "default", "never"),
        ("pass", "init", who),
    ):
        subprocess.run(command, env=environment, check=True, capture_output=True)
