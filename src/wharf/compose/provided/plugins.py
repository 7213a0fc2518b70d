"""The programs that provide services: plugins of docker's command line, or whatever is in ``PATH``."""

from __future__ import annotations

import os
from collections.abc import Mapping

from wharf.client.config import config_folder, read_config
from wharf.client.programs import in_path
from wharf.errors import InvalidArgument, NotFound

_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)  # fmt: skip


def plugin(name: str, environment: Mapping[str, str]) -> str:
    """Return the path of ``docker-NAME`` among the plugins of docker's command line; empty when there is none."""
    if not name or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        return ""  # it would leave the folders
    more = read_config(environment).get("cliPluginsExtraDirs")
    extra = [str(one) for one in more] if isinstance(more, list) else []
    for folder in (*extra, os.path.join(config_folder(environment), "cli-plugins"), *_FOLDERS):
        path = os.path.join(folder, f"docker-{name}")
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return ""


def provider_program(kind: str, environment: Mapping[str, str]) -> str:
    """Return the program that provides services of one ``provider.type``.

    Raises:
        InvalidArgument: Compose itself is meant.
        NotFound: there is none.
    """
    if kind == "compose":
        raise InvalidArgument("'compose' is not a valid provider type")
    found = plugin(kind, environment)
    if not found:
        found = kind if "/" in kind and os.access(kind, os.X_OK) else in_path(kind, environment) if kind else ""
    if not found:
        raise NotFound(f"there is neither a plugin docker-{kind} nor a program {kind} in PATH to provide the service")
    return found


def model_runner(environment: Mapping[str, str]) -> str:
    """Return the path of Docker Model Runner's plugin.

    Raises:
        NotFound: there is none.
    """
    found = plugin("model", environment)
    if not found:
        raise NotFound("'models' support requires Docker Model plugin: there is no docker-model among the plugins")
    return found
