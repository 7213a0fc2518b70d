"""A bundle, and copies of the package to attack."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.root.engine.conftest import root
from tests.root.escapes.weakened import Packages, everywhere
from tests.root.runtime.conftest import bundle

__all__ = ["bundle", "packages", "root"]


@pytest.fixture
def packages(tmp_path: Path) -> Packages:
    return Packages(tmp_path / "packages", everywhere())
