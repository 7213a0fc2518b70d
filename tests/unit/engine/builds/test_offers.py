from __future__ import annotations

import asyncio
from pathlib import Path

from wharf.engine.builds.offers import NoOffers


def test_nothing_is_lent() -> None:
    assert asyncio.run(NoOffers().secret("any")) is None
    assert asyncio.run(NoOffers().agent("any", Path("x"))) is None
