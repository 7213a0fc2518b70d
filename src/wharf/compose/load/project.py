"""The way in: from the names of files and the variables around to a checked, typed project."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from wharf.compose.load.check import check
from wharf.compose.load.complete import complete
from wharf.compose.load.convert import to_project
from wharf.compose.load.dotenv import parse_dotenv
from wharf.compose.load.environment import is_on, resolve_environment, resolve_labels
from wharf.compose.load.files import Files, absolute
from wharf.compose.load.interpolate import substitute
from wharf.compose.load.located import ComposeError, Map
from wharf.compose.load.profiles import pruned, selected, with_profiles
from wharf.compose.load.sources import Scope, Sources
from wharf.compose.load.yaml import parse
from wharf.compose.model.project import Project

DEFAULT_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_OVERRIDES = ("compose.override.yml", "compose.override.yaml", "docker-compose.override.yml",
              "docker-compose.override.yaml")  # fmt: skip
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*\Z")


@dataclass(frozen=True, slots=True)
class Request:
    """What a user asks to load."""

    folder: str  # where we are
    variables: Mapping[str, str]  # the process's
    files: Sequence[str] = ()  # -f
    name: str = ""  # -p
    project_directory: str = ""
    env_files: Sequence[str] = ()
    profiles: Sequence[str] = ()
    services: Sequence[str] = ()  # asked for by name: on whatever their profiles, the others off
    dependencies: bool = True  # and what those depend on
    all_resources: bool = False  # also networks, volumes, ... that no service uses
    interpolate: bool = True
    normalize: bool = True
    resolve_paths: bool = True
    resolve_env: bool = True
    consistent: bool = True
    compatible: bool = False  # names as the first docker-compose gave them


@dataclass(slots=True)
class Loaded:
    """A tree and the project it means."""

    tree: Map
    project: Project
    warnings: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)  # names of resources that were brought from elsewhere


@dataclass(slots=True)
class Found:
    """Where a project is."""

    files: list[str]
    folder: str  # relative paths are relative to it
    variables: dict[str, str]
    called: str  # the folder that lends the project its name
    names: list[str]  # of the files, as they were asked for


def load(request: Request, files: Files) -> Loaded:
    """Load a project.

    Raises:
        ComposeError: there are no files, something in them is wrong (with file and line), or has no such service.
    """
    tree, found, warnings = load_tree(request, files)
    project = to_project(tree)
    project = msgspec.structs.replace(
        project,
        environment=found.variables,
        working_dir=found.folder,
        files=list(found.files),
        separator="_" if request.compatible or is_on(found.variables.get("COMPOSE_COMPATIBILITY", "")) else "-",
    )
    project = with_profiles(project, active_profiles(request, found.variables), request.services)
    if request.consistent:
        check(project, tree)
    project = selected(project, request.services, dependencies=request.dependencies)
    if not request.all_resources:
        project = pruned(project)
    if request.resolve_env:
        project = resolve_environment(project, tree, files)
    project = resolve_labels(project, tree, files)
    return Loaded(tree, project, warnings)


def load_tree(request: Request, files: Files) -> tuple[Map, Found, list[str]]:
    """Return the merged, complete tree, where it is from, and warnings."""
    found = locate(request, files)
    name = project_name(request, found, files)
    found.variables["COMPOSE_PROJECT_NAME"] = name
    sources = Sources(files, interpolated=request.interpolate, resolved=request.resolve_paths)
    tree = sources.load(found.files, Scope(found.folder, found.variables))
    if not tree:
        raise ComposeError("empty compose file")
    if request.normalize:
        tree = complete(tree, name, found.variables)
    else:
        tree["name"] = name
    return tree, found, list(sources.warnings)


def active_profiles(request: Request, variables: Mapping[str, str]) -> list[str]:
    """Return ``--profile``s, or those of ``COMPOSE_PROFILES``."""
    return list(request.profiles) or [
        p.strip() for p in variables.get("COMPOSE_PROFILES", "").split(",") if p.strip()
    ]


def locate(request: Request, files: Files) -> Found:
    """Find the files, the project's folder and the variables with their ``.env`` files.

    Raises:
        ComposeError: no Compose file is there.
    """
    folder = absolute(request.project_directory, request.folder) if request.project_directory else ""
    variables = _with_env_files(request, files, folder or request.folder)
    names = list(request.files) or _from_variable(variables)
    if not names:
        names = _search(folder or request.folder, files)
    brought = [None if name == "-" else files.bring(name) for name in names]
    paths = [
        local or (name if name == "-" else absolute(name, request.folder))
        for name, local in zip(names, brought, strict=True)
    ]
    called = folder or (request.folder if brought[0] or paths[0] == "-" else os.path.dirname(paths[0]))
    if not folder:
        folder = os.path.dirname(paths[0]) if brought[0] else called
        if called != request.folder and not request.env_files:
            variables = _with_env_files(request, files, called)
    return Found(paths, folder, variables, called, names)


def _from_variable(variables: Mapping[str, str]) -> list[str]:
    text = variables.get("COMPOSE_FILE", "")
    return [name for name in text.split(variables.get("COMPOSE_PATH_SEPARATOR") or ":") if name]


def _with_env_files(request: Request, files: Files, folder: str) -> dict[str, str]:
    found: dict[str, str] = {}
    named = list(request.env_files) or [n for n in request.variables.get("COMPOSE_ENV_FILES", "").split(",") if n]
    for name in [absolute(name, request.folder) for name in named] or [os.path.join(folder, ".env")]:
        text = files.read(name)
        if text is None and named:
            raise ComposeError(f"couldn't find env file: {name}")
        values = parse_dotenv(text or "", name, {**found, **request.variables})
        found.update({key: value for key, value in values.items() if value is not None})
    return {**found, **request.variables}


def _search(folder: str, files: Files) -> list[str]:
    """Return the default file in ``folder`` or the nearest one above, and its override."""
    at = folder
    while True:
        for name in DEFAULT_NAMES:
            path = os.path.join(at, name)
            if files.read(path) is not None:
                override = next((o for o in _OVERRIDES if files.read(os.path.join(at, o)) is not None), None)
                return [path] + ([os.path.join(at, override)] if override else [])
        above = os.path.dirname(at)
        if above == at:
            raise ComposeError("no configuration file provided: not found")
        at = above


def project_name(request: Request, found: Found, files: Files) -> str:
    """Return the project's name: ``-p``, ``COMPOSE_PROJECT_NAME``, the files' ``name``, or the folder's.

    Raises:
        ComposeError: one that was given is not valid.
    """
    given = request.name or found.variables.get("COMPOSE_PROJECT_NAME", "")
    if given:
        if not _NAME.match(given):
            raise ComposeError(
                f'invalid project name "{given}": must consist only of lowercase alphanumeric characters, hyphens, '
                "and underscores as well as start with a letter or number"
            )
        return given
    name = normalized(_name_in_files(found, files)) or normalized(os.path.basename(found.called))
    if not name:
        raise ComposeError("project name must not be empty")
    return name


def _name_in_files(found: Found, files: Files) -> str:
    name = ""
    for path in found.files:
        text = files.read(path) or ""
        if "name:" not in text and '"name"' not in text:
            continue
        for document in parse(text, path):
            if isinstance(document, Map) and isinstance(document.get("name"), str):
                name = str(document["name"])
    return substitute(name, found.variables.get)


def normalized(name: str) -> str:
    """Return what is left of ``name`` as a project's name."""
    return re.sub(r"[^a-z0-9_-]", "", name.lower()).lstrip("_-")
