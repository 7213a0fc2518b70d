"""Files that flags name: environment, labels, seccomp profiles."""

from __future__ import annotations

import os

from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def read_text(path: str) -> str:
    """Return a file's text.

    Raises:
        InvalidArgument: it cannot be read or is not UTF-8.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except OSError as error:
        raise InvalidArgument(f"open {path}: {(error.strerror or '').lower()}") from error
    except UnicodeDecodeError as error:
        raise InvalidArgument(f"{path}: it is not UTF-8 text") from error


def key_values(text: str, path: str, environment: Mapping[str, str]) -> list[str]:
    """Return the lines of an --env-file or --label-file as ``name=value``.

    Empty lines and those that begin with ``#`` are left out. A name alone takes its value from ``environment`` and is
    left out when it has none there.

    Raises:
        InvalidArgument: a name is missing or holds white space.
    """
    found: list[str] = []
    for line in text.splitlines():
        line = line.lstrip()  # noqa: PLW2901  # what follows sees the line as docker does
        if not line or line.startswith("#"):
            continue
        name, separator, value = line.partition("=")
        if not name:
            raise InvalidArgument(f"invalid environment file {path}: no variable name on line '{line}'")
        if any(c.isspace() for c in name):
            raise InvalidArgument(f"invalid environment file {path}: variable '{name}' contains whitespaces")
        if separator:
            found.append(f"{name}={value}")
        elif name in environment:
            found.append(f"{name}={environment[name]}")
    return found


def absolute(path: str) -> str:
    """Return a host path of a mount, made absolute when it begins with a dot."""
    return os.path.abspath(path) if path.startswith(".") else path
