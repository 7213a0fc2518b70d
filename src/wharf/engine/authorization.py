"""Authorization plugins: each request to the API, and its answer, is put to them (docker docs, of that name).

They are asked in the order in which they are named, about answers in the reverse; the first refusal counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final

from wharf.engine.context import Context
from wharf.engine.plugins.places import address_of
from wharf.errors import Conflict, Forbidden, NotFound, WharfError
from wharf.volumes import plugins
from wharf.volumes.plugin_calls import Address, call

_KIND: Final = "authz"


class Authorization:
    """The authorization plugins of one engine."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: set[tuple[str, str]] = set()  # those that run by themselves, once they have said what they are

    @property
    def wanted(self) -> bool:
        """Whether anybody is to be asked."""
        return bool(self._context.options.authorization)

    def require(self, names: Iterable[str]) -> None:
        """Refuse names of plugins that are not there: an engine that asks nobody lets everybody in.

        Raises:
            NotFound: there is none of that name, or it is no authorization plugin.
            Conflict: it is disabled.
        """
        for name in names:
            try:
                self._find(name)
            except (Conflict, NotFound) as error:
                raise type(error)(f"error validating authorization plugin: {error}") from error

    async def request(self, asked: Mapping[str, object]) -> None:
        """Ask about a request; ``asked`` has the fields of AuthZPlugin.AuthZReq.

        Raises:
            Forbidden: one of them denies it.
            WharfError: one of them does not answer, or with an error.
        """
        for name in self._context.options.authorization:
            await self._ask(name, "/AuthZPlugin.AuthZReq", asked)

    async def response(self, asked: Mapping[str, object]) -> None:
        """Ask about an answer; ``asked`` has the fields of AuthZPlugin.AuthZRes. Raises as :meth:`request`."""
        for name in reversed(self._context.options.authorization):
            await self._ask(name, "/AuthZPlugin.AuthZRes", asked)

    async def _ask(self, name: str, path: str, asked: Mapping[str, object]) -> None:
        try:
            told = await asyncio.to_thread(self._call, name, path, asked)
        except WharfError as error:
            raise WharfError(f"plugin {name} failed with error: {error}") from error
        if told.get("Allow") is not True:
            raise Forbidden(f"authorization denied by plugin {name}: {told.get('Msg') or ''}")

    def _call(self, name: str, path: str, asked: Mapping[str, object]) -> dict[str, Any]:
        address = self._find(name)
        if not address.name and (name, address.url) not in self._known:
            kinds = call(f"plugin {name}", address, "/Plugin.Activate", {}).get("Implements") or []
            if _KIND not in kinds:
                raise NotFound(f'plugin "{name}" does not implement {_KIND}')
            self._known.add((name, address.url))
        return call(f"plugin {name}", address, path, asked)

    def _find(self, name: str) -> Address:
        if (record := self._context.plugins.serving(name, _KIND)) is not None:
            return address_of(self._context.run, record)
        if (found := plugins.find(name)) is None:
            raise NotFound(f'plugin "{name}" not found')
        return found
