"""What the HTTP front asks of an engine about plugins; see :mod:`wharf.api.backend`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from wharf.spec.engine_api import plugin

Filters = Mapping[str, list[str]]
Document = dict[str, object]
Strings = list[str]  # named here: inside the class below, ``list`` is its own method
Grants = list[plugin.PluginPrivilege]


class Plugins(Protocol):
    """Plugins that the engine installs and runs."""

    async def list(self, filters: Filters) -> list[plugin.Plugin]:
        """Return the plugins that match."""

    async def inspect(self, ref: str) -> plugin.Plugin:
        """Return all of one."""

    async def privileges(self, remote: str, *, auth: str) -> Grants:
        """Return what the plugin that a registry has wants."""

    async def create(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Make one of an archive."""

    def pull(self, remote: str, *, name: str | None, grants: Grants, auth: str) -> AsyncIterator[Document]:
        """Install one from its registry; progress."""

    def upgrade(self, ref: str, remote: str, *, grants: Grants, auth: str) -> AsyncIterator[Document]:
        """Put what a registry has in its place; progress."""

    def push(self, ref: str, *, auth: str) -> AsyncIterator[Document]:
        """Send it to its registry; progress."""

    async def set(self, ref: str, assignments: Strings) -> None:
        """Change its settings."""

    async def enable(self, ref: str, *, timeout_s: int) -> None:
        """Start it; 0: wait for its answers as long as usual."""

    async def disable(self, ref: str, *, force: bool) -> None:
        """End it."""

    async def remove(self, ref: str, *, force: bool) -> None:
        """Remove it with all that it wrote."""


class Authorization(Protocol):
    """Who is asked about each request."""

    @property
    def wanted(self) -> bool:
        """Whether anybody is."""

    async def request(self, asked: Mapping[str, object]) -> None:
        """Ask about a request; Forbidden when it is denied."""

    async def response(self, asked: Mapping[str, object]) -> None:
        """Ask about an answer; Forbidden when it is denied."""
