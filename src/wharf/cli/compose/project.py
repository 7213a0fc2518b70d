"""The project that the flags, the files and the environment mean."""

from __future__ import annotations

import os
from collections.abc import Sequence

from wharf.cli.command import Session
from wharf.cli.compose.globals import PROJECT_FLAGS
from wharf.cli.flags import Values
from wharf.compose.load.files import DiskFiles
from wharf.compose.load.located import ComposeError, complaint
from wharf.compose.load.project import Loaded, Request, load
from wharf.compose.load.unsupported import limits_of
from wharf.compose.model.project import Project
from wharf.compose.provided.plugins import model_runner, provider_program
from wharf.compose.remote.bring import Remotes
from wharf.errors import InvalidArgument, NotFound


def flags_of(session: Session) -> Values:
    """Return the flags between ``compose`` and the command."""
    return session.group_flags if session.group_flags is not None else Values(PROJECT_FLAGS)


def request_of(session: Session, services: Sequence[str] = (), *, dependencies: bool = True) -> Request:
    """Return what the flags and the environment ask to load: all, or ``services`` and what they depend on."""
    flags = flags_of(session)
    return Request(
        folder=os.getcwd(),
        variables=dict(os.environ),
        files=flags.items("file"),
        name=flags.text("project-name"),
        project_directory=flags.text("project-directory"),
        env_files=flags.items("env-file"),
        profiles=flags.items("profile"),
        services=services,
        dependencies=dependencies,
        all_resources=flags.on("all-resources"),
        compatible=flags.on("compatibility"),
    )


def files_of(session: Session, request: Request) -> DiskFiles:
    """Return the files of this machine, and how others are brought here."""
    return DiskFiles(remotes_of(session, request))


def remotes_of(session: Session, request: Request) -> Remotes:
    """Return what brings files from elsewhere."""
    return Remotes(request.variables, insecure=flags_of(session).items("insecure-registry"))


def load_request(session: Session, request: Request) -> Loaded:
    """Load what is asked for; warnings go to stderr.

    Raises:
        ComposeError: there is no project, it is wrong, or has no such service.
    """
    remotes = remotes_of(session, request)
    loaded = load(request, DiskFiles(remotes))
    loaded.elsewhere = remotes.brought
    warn(session, loaded.warnings)
    return loaded


def warn(session: Session, warnings: Sequence[str]) -> None:
    """Write each warning to stderr."""
    for warning in warnings:
        session.warn(f"WARNING: {warning}")


def load_project(session: Session, services: Sequence[str] = (), *, dependencies: bool = True) -> Project:
    """Return the project, narrowed to ``services`` and, on demand, what they depend on.

    Raises:
        ComposeError: there is no project, it is wrong, or has no such service.
    """
    return load_request(session, request_of(session, services, dependencies=dependencies)).project


def load_to_run(
    session: Session, services: Sequence[str] = (), *, dependencies: bool = True, yes: bool = True
) -> Project:
    """Return the project to run; what it will have to go without is told, with file and line.

    Without ``yes`` the user is asked whether files from elsewhere shall have their variables.

    Raises:
        ComposeError: there is no project, it is wrong, has no such service, or asks for what cannot be done here.
    """
    request = request_of(session, services, dependencies=dependencies)
    loaded = load_request(session, request)
    if loaded.elsewhere:
        from wharf.cli.compose.trust import ask_about  # noqa: PLC0415  # most projects are at home

        ask_about(session, request, loaded, yes=yes)
    warn(session, limits_of(loaded.tree, loaded.project.services.keys()))
    check_programs(loaded)
    return loaded.project


def check_programs(loaded: Loaded) -> None:
    """Check that there are the programs that provide services and run models, before anything is done.

    Raises:
        ComposeError: one is missing; with file and line.
    """
    project = loaded.project
    for name, service in project.services.items():
        try:
            if service.provider is not None:
                provider_program(service.provider.type, project.environment)
        except (NotFound, InvalidArgument) as error:
            raise complaint(loaded.tree, ("services", name, "provider", "type"), str(error)) from error
        try:
            if service.models:
                model_runner(project.environment)
        except NotFound as error:
            raise complaint(loaded.tree, ("services", name, "models"), str(error)) from error


def load_or_name(session: Session) -> Project:
    """Return the project; with ``-p`` and no files an empty one of that name: what runs says the rest.

    Raises:
        ComposeError: there is neither, or the files are wrong.
    """
    flags = flags_of(session)
    try:
        return load_project(session)
    except ComposeError as error:
        name = flags.text("project-name") or os.environ.get("COMPOSE_PROJECT_NAME", "")
        if not name or flags.items("file") or "no configuration file" not in str(error):
            raise
        return Project(name=name)
