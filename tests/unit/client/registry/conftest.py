from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.fakes.http_registry import HttpRegistry, http_registry


@pytest.fixture
def registry() -> Iterator[HttpRegistry]:
    with http_registry() as found:
        yield found
