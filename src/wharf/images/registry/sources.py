"""Where to pull from: a domain's mirrors in turn, then the registry itself; what it says is put in Docker's words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from wharf.errors import Forbidden, NotFound, Unauthorized, WharfError
from wharf.images.registry.credentials import ANONYMOUS, Credentials
from wharf.images.registry.host import Host
from wharf.images.registry.hosts import hosts_of
from wharf.images.registry.repository import Repository
from wharf.images.registry.transport import Transport
from wharf.lib.reference import Reference

T = TypeVar("T")


class Sources:
    """The registries that may have an image, for one user."""

    def __init__(self, transport: Transport, credentials: Credentials) -> None:
        self._transport = transport
        self._credentials = credentials

    async def first(self, reference: Reference, ask: Callable[[Repository], Awaitable[T]]) -> T:
        """Return what ``ask`` gets from the first registry that has it; mirrors that fail are passed over.

        Raises:
            NotFound: the registry itself has no such image, or shows it to others only; in Docker's words.
            WharfError: what else it says.
        """
        *mirrors, itself = hosts_of(reference.domain, self._transport.options)
        for mirror in mirrors:
            if not (mirror.resolves or reference.digest):
                continue
            try:
                return await ask(self._repository(mirror, reference))
            except WharfError:  # whatever it is: the registry itself knows better
                continue
        try:
            return await ask(self._repository(itself, reference))
        except (Unauthorized, Forbidden) as error:
            raise NotFound(
                f"pull access denied for {reference.familiar_repository}, "
                f"repository does not exist or may require 'docker login': {error}"
            ) from error
        except NotFound as error:
            if "manifest list entries" in str(error):
                raise
            raise NotFound(f"manifest for {reference.familiar} not found: manifest unknown: {error}") from error

    def _repository(self, host: Host, reference: Reference) -> Repository:
        credentials = ANONYMOUS if host.mirror else self._credentials
        return Repository(self._transport.connect(host, credentials), reference.path, self._transport.waiting)
