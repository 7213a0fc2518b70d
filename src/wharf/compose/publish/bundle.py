"""The files that make a project, under the names that they have in its artifact."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from wharf.compose.load.files import Files, absolute
from wharf.compose.load.interpolate import substitute
from wharf.compose.load.located import ComposeError
from wharf.compose.load.paths import is_remote
from wharf.compose.publish.rewriting import Renames, included, rewritten


@dataclass(slots=True)
class Bundle:
    """Texts by the names that they have in an artifact, in its order."""

    files: list[tuple[str, str, str]] = field(default_factory=list)  # those that are merged: name, path, text
    extended: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)  # name of the others → where it was read

    def published(self) -> list[tuple[str, str]]:
        """Return the path and the text of each Compose file."""
        extended = [(self.paths[name], text) for name, text in self.extended.items()]
        return [(path, text) for _, path, text in self.files] + extended


class _Gathering:
    def __init__(self, files: Files, variables: Mapping[str, str]) -> None:
        self.files = files
        self.bundle = Bundle()
        self._variables = variables

    def text(self, path: str, base: str) -> str:
        """Return a file's text as it is published; what it needs is gathered."""
        text = self.files.read(path)
        if text is None:
            raise ComposeError(f"open {path}: no such file or directory")
        for name in included(text):
            if self.files.bring(name) is None:
                raise ComposeError("cannot publish compose file with local includes")
        renames = Renames(lambda name: self._env_file(name, base), lambda name: self._extended(name, base))
        return rewritten(text, renames)

    def _env_file(self, name: str, base: str) -> str:
        path = absolute(substitute(name, self._variables.get), base)
        new = f"{hashlib.sha256(path.encode()).hexdigest()}.env"
        text = self.files.read(path)
        if text is not None:  # else it is one that need not be there; its path stays at home all the same
            self.bundle.variables[new] = text
            self.bundle.paths[new] = path
        return new

    def _extended(self, name: str, base: str) -> str | None:
        meant = substitute(name, self._variables.get)
        if self.files.bring(meant) is not None or is_remote(meant):
            return None
        path = absolute(meant, base)
        new = f"{hashlib.sha256(path.encode()).hexdigest()}.yaml"
        if new not in self.bundle.extended:
            self.bundle.extended[new] = ""  # it may extend itself
            self.bundle.extended[new] = self.text(path, os.path.dirname(path))
            self.bundle.paths[new] = path
        return new


def gathered(paths: list[str], folder: str, variables: Mapping[str, str], files: Files) -> Bundle:
    """Return a project's files, ready to be published.

    Args:
        paths: Of its Compose files.
        folder: What their paths are relative to.
        variables: For interpolation of the paths that they name.
        files: Where texts come from.

    Raises:
        ComposeError: a file includes others of this machine, or one cannot be read.
    """
    if "-" in paths:
        raise ComposeError("cannot publish a compose file from standard input")
    gathering = _Gathering(files, variables)
    for path in paths:
        text = gathering.text(path, folder)
        gathering.bundle.files.append((os.path.basename(path), path, text))
    return gathering.bundle
