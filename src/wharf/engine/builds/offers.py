"""What a client lends to a build when it lends nothing."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path


class NoOffers:
    """No secrets, no agents: ``POST /build`` has no way to send them."""

    async def secret(self, secret_id: str) -> bytes | None:  # noqa: ARG002  # there is none of any name
        """Return None."""
        return None

    async def agent(self, agent_id: str, path: Path) -> AsyncExitStack | None:  # noqa: ARG002  # likewise
        """Return None."""
        return None
