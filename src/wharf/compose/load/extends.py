"""Services completed by what they extend, in the same file or in another (compose-spec 05-services.md, "extends")."""

from __future__ import annotations

import os
from collections.abc import Callable

from wharf.compose.load.files import absolute
from wharf.compose.load.located import ComposeError, Map, complaint
from wharf.compose.load.merge import merge
from wharf.compose.load.paths import is_remote
from wharf.errors import WharfError


class Extender:
    """Completes the services of one file."""

    def __init__(
        self, file: str, base: str, read: Callable[[str], Map], bring: Callable[[str], str | None] = lambda _: None
    ) -> None:
        """Prepare.

        Args:
            file: Its name, for errors.
            base: The folder that the files it names are relative to.
            read: Returns the canonical tree of another file, its paths resolved.
            bring: Returns the path of the copy of a file that is elsewhere; None where it is not.
        """
        self._file = file
        self._base = base
        self._read = read
        self._bring = bring

    def apply(self, tree: Map) -> Map:
        """Return the file's tree with all its services complete.

        Raises:
            ComposeError: what is extended is not there, or extends what extends it.
        """
        services = tree.get("services")
        if not isinstance(services, Map):
            return tree
        done = Map(((name, self.service(tree, name, ())) for name in services), services.marks)
        return Map({**tree, "services": done}.items(), tree.marks)

    def service(self, tree: Map, name: str, chain: tuple[tuple[str, str], ...]) -> object:
        """Return a service of ``tree`` laid over what it extends; ``chain`` has (file, service) of those above."""
        services = tree.get("services")
        service = services.get(name) if isinstance(services, Map) else None
        extends = service.get("extends") if isinstance(service, Map) else None
        if not isinstance(service, Map) or not isinstance(extends, Map):
            return service
        chain = (*chain, (self._file, name))
        if chain[-1] in chain[:-1]:
            first, *more = [f"{service} in {file}" for file, service in chain]
            raise ComposeError(f"Circular reference:\n  {first}\n" + "\n".join(f"  extends {line}" for line in more))
        below = self._extended(tree, name, extends, chain)
        own = Map(((key, value) for key, value in service.items() if key != "extends"), service.marks)
        return merge(below, own, at=("services", name))

    def _extended(self, tree: Map, name: str, extends: Map, chain: tuple[tuple[str, str], ...]) -> object:
        wanted, file = str(extends.get("service", "")), extends.get("file")
        place = ("services", name, "extends")
        if file is None:
            services = tree.get("services")
            if not isinstance(services, Map) or wanted not in services:
                said = f'cannot extend service "{name}" in {self._file}: service "{wanted}" not found'
                raise complaint(tree, place, said)
            return self.service(tree, wanted, chain)
        try:
            path = self._bring(str(file)) or absolute(str(file), self._base)
        except WharfError as error:
            raise complaint(tree, place, str(error)) from error
        if is_remote(str(file)) and path == absolute(str(file), self._base):
            said = f"extending a service of a remote resource is not supported: {file}"
            raise complaint(tree, place, said)
        try:
            other = self._read(path)
        except ComposeError as error:
            raise complaint(tree, place, str(error)) if "no such file" in str(error) else error from error
        services = other.get("services")
        if not isinstance(services, Map) or wanted not in services:
            said = f'cannot extend service "{name}" in {self._file}: service "{wanted}" not found in {path}'
            raise complaint(tree, place, said)
        return Extender(path, os.path.dirname(path), self._read, self._bring).service(other, wanted, chain)
