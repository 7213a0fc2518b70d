"""Authorization plugins: each request to the API, and its answer, is put to them (docker docs, of that name).

They are asked in the order in which they are named, about answers in the reverse; the first refusal counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from wharf.engine.context import Context
from wharf.engine.plugins.places import address_of
from wharf.errors import Forbidden, WharfError
from wharf.plugins import threads
from wharf.plugins.calls import Address, call
from wharf.plugins.finding import found

_KIND: Final = "authz"


class Authorization:
    """The authorization plugins of one engine."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: set[tuple[str, str, str]] = set()  # those that run by themselves, once they have said so

    @property
    def wanted(self) -> bool:
        """Whether anybody is to be asked."""
        return bool(self._context.options.authorization)

    def require(self, names: Iterable[str]) -> None:
        """Refuse names of plugins that are not there: an engine that asks nobody lets everybody in. Blocking.

        Raises:
            NotFound: there is none of that name, or it is no authorization plugin.
            Conflict: it is disabled.
            Unavailable: it does not answer.
            WharfError: it answers with an error.
        """
        for name in names:
            try:
                self._found(name)
            except WharfError as error:
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
            told = await threads.asked(self._call, name, path, asked)
        except WharfError as error:
            raise WharfError(f"plugin {name} failed with error: {error}") from error
        if told.get("Allow") is not True:
            raise Forbidden(f"authorization denied by plugin {name}: {told.get('Msg') or ''}")

    def _call(self, name: str, path: str, asked: Mapping[str, object]) -> dict[str, Any]:
        return call(f"plugin {name}", self._found(name), path, asked)

    def _found(self, name: str) -> Address:
        return found(name, _KIND, self._managed, self._known)

    def _managed(self, name: str) -> Address | None:
        record = self._context.plugins.serving(name, _KIND)
        return None if record is None else address_of(self._context.run, record)
