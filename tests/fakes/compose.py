"""Files in memory, and projects made of texts, for tests of compose."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent
from typing import Any

from wharf.compose.load.project import Loaded, Request, load
from wharf.compose.model.project import Project


class MemoryFiles:
    """Texts by absolute path."""

    def __init__(self, texts: Mapping[str, str], elsewhere: Mapping[str, str] | None = None) -> None:
        self.texts = {path: dedent(text) for path, text in texts.items()}
        self.elsewhere = elsewhere or {}  # name -> path of the copy

    def read(self, path: str) -> str | None:
        return self.texts.get(path)

    def bring(self, name: str) -> str | None:
        return self.elsewhere.get(name)


def loaded(texts: Mapping[str, str] | str, **request: Any) -> Loaded:
    """Load texts by their absolute path; one text is ``/app/compose.yaml``."""
    files = MemoryFiles({"/app/compose.yaml": texts} if isinstance(texts, str) else texts)
    return load(Request(**{"folder": "/app", "variables": {}, **request}), files)


def project(texts: Mapping[str, str] | str, **request: Any) -> Project:
    """Return the project that texts mean."""
    return loaded(texts, **request).project
