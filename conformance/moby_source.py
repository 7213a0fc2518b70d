"""moby's integration tests, built: a program for each package, and beside it what that package's tests read.

They come with dockerd's Go module, of the version that the peer has, from Go's proxy. Its module file has another
name there (``vendor.mod``), so it is built in a copy that has it under Go's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

VERSION = "v28.5.2+incompatible"
PACKAGES = (
    "build", "container", "daemon", "image", "network", "plugin/authz", "plugin/common", "plugin/volumes", "session",
    "system", "volume",
)  # fmt: skip
"""Below ``integration``: all but swarm's nouns (config, network/overlay, secret, service), and but those that look at
the firewall and the links of dockerd's own making (network/bridge, network/ipvlan, network/macvlan, networking)."""

_MODULE = f"github.com/docker/docker@{VERSION}"
_BUILD = Path(__file__).parent.parent / "build/moby"


def folder_of(package: str) -> Path:
    """Return the folder in which a package's tests run."""
    return _BUILD / "source/integration" / package


def program_of(package: str) -> Path:
    """Return the program that has a package's tests; built if need be."""
    program = _BUILD / "bin" / package.replace("/", ".")
    if not program.exists():
        source = _source()
        command = ("go", "test", "-c", "-ldflags=-s -w", "-o", str(program), f"./integration/{package}")
        subprocess.run(command, cwd=source, env={**os.environ, "GOFLAGS": "-mod=mod"}, check=True)
    return program


def _source() -> Path:
    folder = _BUILD / "source"
    if not (stamp := _BUILD / VERSION).exists():
        shutil.rmtree(_BUILD, ignore_errors=True)
        _BUILD.mkdir(parents=True)
        command = ("go", "mod", "download", "-json", _MODULE)
        answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
        shutil.copytree(json.loads(answer.stdout)["Dir"], folder, ignore=shutil.ignore_patterns("vendor"))
        subprocess.run(("chmod", "-R", "u+w", str(folder)), check=True)  # Go's cache is read-only
        (folder / "vendor.mod").rename(folder / "go.mod")
        (folder / "vendor.sum").rename(folder / "go.sum")
        stamp.touch()
    return folder
