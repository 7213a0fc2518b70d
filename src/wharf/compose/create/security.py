"""A service's ``security_opt`` as the Engine API's options: profiles are sent, not named."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from wharf.compose.model.project import Project
from wharf.compose.model.service import Service
from wharf.errors import InvalidArgument


def security_options(project: Project, service: Service, read: Callable[[str], bytes]) -> tuple[list[str], bool]:
    """Return (SecurityOpt, whether system paths are unmasked); a seccomp profile is read from its file.

    Args:
        project: Its folder is what profiles' paths are relative to.
        service: Says which options.
        read: Returns a file's bytes.

    Raises:
        InvalidArgument: an option without a value, or a profile that is not JSON.
        WharfError: a profile cannot be read.
    """
    options: list[str] = []
    unmasked = False
    for text in service.security_opt:
        if text == "systempaths=unconfined":
            unmasked = True
            continue
        name, separator, value = (text if "=" in text else text.replace(":", "=", 1)).partition("=")
        if not separator and text != "no-new-privileges":
            raise InvalidArgument(f'services.{service.name}.security_opt: invalid security-opt: "{text}"')
        if name == "seccomp" and value not in {"unconfined", "builtin"}:
            profile = _profile(os.path.normpath(os.path.join(project.working_dir, value)), read)
            options.append(f"{name}={profile}")
        else:
            options.append(text)  # as it was said: the engine takes both forms
    return options, unmasked


def _profile(path: str, read: Callable[[str], bytes]) -> str:
    try:
        return json.dumps(json.loads(read(path)), separators=(",", ":"))
    except ValueError as error:
        raise InvalidArgument(f"compacting json for seccomp profile ({path}) failed: {error}") from error
