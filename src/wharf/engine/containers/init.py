"""--init: a small program as process 1, which passes signals on and reaps what nobody waits for.

It is the host's own (Docker ships the same one), mounted into the container, so it must need no library: what images
have of those is theirs (docs/decisions/init-program.md).
"""

from __future__ import annotations

import os
import shutil
from typing import Final

from wharf.engine.ocispec.inputs import ResolvedMount
from wharf.errors import NotImplementedHere
from wharf.spec.engine_api.container import HostConfig

PATH: Final = "/sbin/docker-init"
PROGRAMS: Final = ("docker-init", "tini-static", "catatonit")


def wanted(host: HostConfig) -> bool:
    """Return whether a container gets one: asked for, and its processes have a namespace of their own. Pure."""
    return bool(host.get("Init")) and not host.get("PidMode")


def find(named: str = "") -> str:
    """Return the path of the host's init program: ``named``, or the first of the usual ones.

    Raises:
        NotImplementedHere: there is none.
    """
    if named:
        if not os.access(named, os.X_OK):
            raise NotImplementedHere(f"--init needs {named}, which init-path names: it cannot be executed")
        return named
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if found is None:
        raise NotImplementedHere(f"--init needs one of {', '.join(PROGRAMS)} on the host: install the package tini")
    return found


def mount(program: str) -> ResolvedMount:
    """Return how the container sees the program."""
    return ResolvedMount("bind", program, PATH, read_only=True, recursive=False)
