"""`wharf compose config`: check the files of a project, and print what they mean in one of many ways."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec

from wharf.cli.command import Command
from wharf.cli.compose.digests import locked, pinned
from wharf.cli.compose.project import files_of, load_request, request_of, warn
from wharf.cli.flags import Flag, one_of
from wharf.compose import identity
from wharf.compose.load.interpolate import variables_in
from wharf.compose.load.located import Map
from wharf.compose.load.project import Loaded, Request, load_tree
from wharf.compose.model.project import Project
from wharf.compose.yaml_text import to_yaml
from wharf.lib.tables import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values


def _config(session: Session, values: Values, services: list[str]) -> int:
    request = replace(
        request_of(session, services),
        interpolate=not values.on("no-interpolate"),
        normalize=not values.on("no-normalize"),
        resolve_paths=not values.on("no-path-resolution"),
        resolve_env=not values.on("no-env-resolution"),
        consistent=not values.on("no-consistency"),
    )
    text = next(
        (listing(session, request, values) for name, listing in _LISTINGS.items() if values.given(name)), None
    )
    if text is None:
        text = _whole(session, request, values)
    if values.text("output") and text:
        with open(values.text("output"), "w", encoding="utf-8") as file:
            file.write(text)
    elif not values.on("quiet"):
        sys.stdout.write(text)
    return 0


def _whole(session: Session, request: Request, values: Values) -> str:
    as_json = values.text("format") == "json"
    if not request.interpolate:
        if request.services:
            warn(session, ["services are not filtered with --no-interpolate: the whole model is printed"])
        tree, _, warnings = load_tree(request, files_of(session, request))
        warn(session, warnings)
        return _printed(dict(tree), as_json=as_json)
    project = load_request(session, request).project
    if values.on("resolve-image-digests") or values.on("lock-image-digests"):
        project = pinned(project, session.client)
    if values.on("lock-image-digests"):
        return _printed(locked(project, lambda said: warn(session, [said])), as_json=as_json)
    if values.on("quiet") and not values.text("output"):
        return ""  # it can be loaded: that is all that is asked
    project = _without_label_files(project)
    # What is printed may be loaded again: a dollar sign must stay one.
    return _printed(project.printed(as_json=as_json), as_json=as_json).replace("$", "$$")


def _without_label_files(project: Project) -> Project:
    """Return the project without the files that its labels were read from."""
    services = {name: msgspec.structs.replace(one, label_file=[]) for name, one in project.services.items()}
    return msgspec.structs.replace(project, services=services)


def _printed(document: dict[str, object], *, as_json: bool) -> str:
    if as_json:
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return to_yaml(document)


def _lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _of_project(names: Callable[[Project], Sequence[str]]) -> Callable[[Session, Request, Values], str]:
    def listing(session: Session, request: Request, _: Values) -> str:
        return _lines(names(load_request(session, replace(request, resolve_env=False)).project))

    return listing


def _services(session: Session, request: Request, _: Values) -> str:
    if request.interpolate:
        return _lines(sorted(load_request(session, replace(request, resolve_env=False)).project.services))
    tree, _found, warnings = load_tree(request, files_of(session, request))
    warn(session, warnings)
    services = tree.get("services")
    return _lines(sorted(services) if isinstance(services, Map) else [])


def _hashes(session: Session, request: Request, values: Values) -> str:
    wanted = values.text("hash")
    services = [] if wanted == "*" else wanted.split(",")
    loaded: Loaded = load_request(session, replace(request, services=services, dependencies=False))
    return _lines([
        f"{name} {identity.service_hash(service)}" for name, service in sorted(loaded.project.services.items())
    ])  # fmt: skip


def _profiles(project: Project) -> list[str]:
    everything = {**project.disabled, **project.services}
    return sorted({profile for service in everything.values() for profile in service.profiles})


def _images(project: Project) -> list[str]:
    return sorted({
        identity.image_name(project, service)
        for service in project.services.values() if service.provider is None
    })  # fmt: skip


def _variables(session: Session, request: Request, values: Values) -> str:
    tree, _found, warnings = load_tree(replace(request, interpolate=False), files_of(session, request))
    warn(session, warnings)
    found = variables_in(tree)
    rows = [
        {"name": name, "required": required, "default": default, "alternate": alternate}
        for name, (default, required, alternate) in sorted(found.items())
    ]
    if values.text("format") == "json":
        return json.dumps(rows) + "\n"
    if values.text("format") == "yaml":
        return to_yaml({str(row["name"]): {key: row[key] for key in row if key != "name"} for row in rows})
    head = ["NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"]
    return render([head, *([_cell(cell) for cell in row.values()] for row in rows)])


def _cell(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _environment(session: Session, request: Request, _: Values) -> str:
    loaded = load_request(session, request)
    return _lines([f"{name}={value}" for name, value in sorted(loaded.project.environment.items())])


_LISTINGS: dict[str, Callable[[Session, Request, Values], str]] = {
    "services": _services,
    "volumes": _of_project(lambda project: sorted(project.volumes)),
    "networks": _of_project(lambda project: sorted(project.networks)),
    "models": _of_project(lambda project: sorted(m.model for m in project.models.values() if m.model)),
    "hash": _hashes,
    "profiles": _of_project(_profiles),
    "images": _of_project(_images),
    "variables": _variables,
    "environment": _environment,
}

COMMANDS = (
    Command(
        "compose config", _config, "Check the files of a project, and print what they mean",
        arguments="[SERVICE...]", count=(0, None),
        flags=(
            Flag("environment", "bool", "Print the variables for interpolation"),
            Flag("format", "string", "yaml or json", check=one_of(("yaml", "json"))),
            Flag("hash", "string", "Print the hash of services' configuration: names, or *"),
            Flag("images", "bool", "Print the images' names"),
            Flag("lock-image-digests", "bool", "Print an override file with the images' digests"),
            Flag("models", "bool", "Print the models' names"),
            Flag("networks", "bool", "Print the networks' names"),
            Flag("no-consistency", "bool", "Do not check what a schema cannot say"),
            Flag("no-env-resolution", "bool", "Do not read services' env files"),
            Flag("no-interpolate", "bool", "Leave variables as they are written"),
            Flag("no-normalize", "bool", "Add nothing that files leave out"),
            Flag("no-path-resolution", "bool", "Leave relative paths as they are written"),
            Flag("output", "string", "Write to a file", short="o"),
            Flag("profiles", "bool", "Print the profiles' names"),
            Flag("quiet", "bool", "Only check", short="q"),
            Flag("resolve-image-digests", "bool", "Pin images to digests"),
            Flag("services", "bool", "Print the services' names"),
            Flag("variables", "bool", "Print the variables that are used, and their defaults"),
            Flag("volumes", "bool", "Print the volumes' names"),
        ),
        examples=("wharf compose config", "wharf compose -f app.yaml -f test.yaml config --services"),
    ),
)  # fmt: skip
