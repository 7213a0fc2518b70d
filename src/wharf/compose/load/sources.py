"""Files to one tree, each laid over the files before it.

A file is parsed, interpolated, checked, made canonical, and completed by what it extends and includes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wharf.compose.load.canonical import canonical
from wharf.compose.load.dotenv import parse_dotenv
from wharf.compose.load.extends import Extender
from wharf.compose.load.files import Files, absolute
from wharf.compose.load.interpolate import Environment, interpolate
from wharf.compose.load.located import ComposeError, Map, Seq, complaint, settled
from wharf.compose.load.merge import merge, without_repeats
from wharf.compose.load.paths import is_remote, resolve_paths
from wharf.compose.load.schema import check_file
from wharf.compose.load.yaml import parse
from wharf.errors import WharfError

_SHARED = ("services", "volumes", "networks", "secrets", "configs", "models")
_MAX_INCLUDES = 50


class Scope(NamedTuple):
    """What holds for files that are loaded together."""

    base: str  # the folder that relative paths are relative to
    variables: Mapping[str, str]  # for interpolation
    chain: tuple[str, ...] = ()  # the files whose include led here


class Sources:
    """Loads trees; remembers what it warned of."""

    def __init__(self, files: Files, *, interpolated: bool = True, resolved: bool = True) -> None:
        """Prepare to load.

        Args:
            files: Where texts come from.
            interpolated: Whether variables are replaced.
            resolved: Whether relative paths are made absolute.
        """
        self.files = files
        self.warnings: dict[str, None] = {}
        self._interpolated = interpolated
        self._resolved = resolved

    def load(self, names: Sequence[str], scope: Scope) -> Map:
        """Return the tree of several files (absolute paths, or ``-``), later ones over earlier ones.

        Raises:
            ComposeError: a file is missing or wrong; with its place.
        """
        tree: object = Map()
        environment = Environment(scope.variables)
        extended: dict[str, Map] = {}

        def base_of_extends(path: str) -> Map:
            if path not in extended:
                found: object = Map()
                for document in self._documents(path, os.path.dirname(path), environment, extended=True):
                    found = merge(found, document)
                assert isinstance(found, Map)
                extended[path] = found
            return extended[path]

        for name in names:
            if name in scope.chain or len(scope.chain) > _MAX_INCLUDES:
                raise ComposeError("include cycle detected:\n" + "\n include ".join((*scope.chain, name)))
            extender = Extender(name, scope.base, base_of_extends, self.files.bring)
            for document in self._documents(name, scope.base, environment):
                whole = self._included(document, scope._replace(chain=(*scope.chain, name)))
                tree = settled(merge(tree, extender.apply(whole)))
        for name in environment.missing:
            self.warnings[f'The "{name}" variable is not set. Defaulting to a blank string.'] = None
        assert isinstance(tree, Map)
        return _with_contexts(tree, scope.base if self._resolved else ".")

    def text(self, path: str) -> str:
        """Return a file's text.

        Raises:
            ComposeError: there is none.
        """
        found = self.files.read(path)
        if found is None:
            raise ComposeError(f"open {path}: no such file or directory")
        return found

    def _documents(self, name: str, base: str, environment: Environment, *, extended: bool = False) -> list[Map]:
        shown = "stdin" if name == "-" else name
        found = []
        for document in parse(self.text(name), shown):
            if document is None:
                continue
            if not isinstance(document, Map):
                raise ComposeError(f"{shown}: top-level object must be a mapping")
            said = interpolate(document, environment) if self._interpolated else document
            if self._interpolated:
                check_file(_without_empty_services(said) if extended else said, shown)
            found.append(self._canonical(said, base))
        return found

    def _canonical(self, document: Map, base: str) -> Map:
        if "version" in document:
            self.warnings[
                f"{document.marks['version']}: the attribute `version` is obsolete, it will be ignored, "
                "please remove it to avoid potential confusion"
            ] = None
            document = Map(((k, v) for k, v in document.items() if k != "version"), document.marks)
        document = canonical(document, interpolated=self._interpolated)
        if self._resolved:
            document = resolve_paths(document, base)
        return without_repeats(document)

    def _included(self, tree: Map, scope: Scope) -> Map:
        entries = tree.get("include")
        if not isinstance(entries, Seq):
            return tree
        result = Map(((k, v) for k, v in tree.items() if k != "include"), tree.marks)
        for index, entry in enumerate(entries):
            if isinstance(entry, Map):
                try:
                    imported = self._one_include(entry, scope)
                except _IncludeError as error:
                    raise complaint(tree, ("include", index), str(error)) from error
                for kind in _SHARED:
                    _import(result, imported, kind)
        return result

    def _one_include(self, entry: Map, scope: Scope) -> Map:
        names = [str(path) for path in _list(entry.get("path"))]
        if not names:
            raise _IncludeError("include.path is required")
        try:
            paths = [self.files.bring(name) or _local(name, scope.base) for name in names]
        except WharfError as error:
            raise _IncludeError(str(error)) from error
        for path in paths:
            if self.files.read(path) is None:
                raise _IncludeError(f"open {path}: no such file or directory")
        folder = entry.get("project_directory")
        folder = absolute(str(folder), scope.base) if folder else os.path.dirname(paths[0])
        own = self._include_variables(entry, scope.base, folder, scope.variables)
        return self.load(paths, Scope(folder, {**own, **scope.variables}, scope.chain))

    def _include_variables(self, entry: Map, base: str, folder: str, known: Mapping[str, str]) -> dict[str, str]:
        named = [str(name) for name in _list(entry.get("env_file"))]
        paths = [absolute(name, base) for name in named if name != "/dev/null"]
        found: dict[str, str] = {}
        for path in paths if named else [f"{folder}/.env"]:
            text = self.files.read(path)
            if text is None and named:
                raise _IncludeError(f"couldn't find env file: {path}")
            values = parse_dotenv(text or "", path, {**found, **known})
            found.update({key: value for key, value in values.items() if value is not None})
        return found


class _IncludeError(Exception):
    """An entry of ``include`` is wrong; whoever has the tree adds its place."""


def _without_empty_services(tree: Map) -> Map:
    """Leave out services that say nothing: they may be extended, though not run (compose-go checks them merged)."""
    services = tree.get("services")
    if not isinstance(services, Map):
        return tree
    said = Map(((name, one) for name, one in services.items() if one is not None), services.marks)
    return Map({**tree, "services": said}.items(), tree.marks)


def _local(name: str, base: str) -> str:
    if is_remote(name):
        raise _IncludeError(f"include of a remote resource is not supported: {name}")
    return absolute(name, base)


def _with_contexts(tree: Map, base: str) -> Map:
    """Give builds without a context the files' own folder."""
    services = tree.get("services")
    for service in services.values() if isinstance(services, Map) else ():
        build = service.get("build") if isinstance(service, Map) else None
        if isinstance(service, Map) and isinstance(build, Map) and not build.get("context"):
            service["build"] = Map({"context": base, **build}.items(), build.marks)
    return tree


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _import(tree: Map, imported: Map, kind: str) -> None:
    """Add the included resources of one kind; what this file says of one of the same name goes over it."""
    theirs = imported.get(kind)
    if not isinstance(theirs, Map) or not theirs:
        return
    ours = tree.get(kind)
    tree[kind] = merge(theirs, ours if isinstance(ours, Map) else Map(), at=(kind,))
