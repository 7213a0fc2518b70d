"""Builds on an engine of their own."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.root.engine.conftest import Body, on_engine, root

import wharf

__all__ = ["Body", "on_engine", "root"]


def archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as out:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            out.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def build(engine: wharf.Engine, text: str, /, files: dict[str, str] | None = None, **request: Any) -> list[Any]:
    """Build and return what is told."""
    context = archive({"Dockerfile": text, **(files or {})})
    return [line async for line in engine.builds.build(_chunks(context), {"t": ["made"], **request})]  # type: ignore[typeddict-item]


def told(lines: list[Any]) -> str:
    return "".join(line.get("stream", "") for line in lines)


def error(lines: list[Any]) -> str:
    return next((line["error"] for line in lines if "error" in line), "")


@pytest.fixture
def builds(on_engine: Callable[[Body], None], root: Path) -> Iterator[Callable[[Body], None]]:
    """Run a body on an engine; nothing half done may be left."""
    yield on_engine
    for folder in ("ingest", "build/work"):
        assert list((root / folder).iterdir()) == []
