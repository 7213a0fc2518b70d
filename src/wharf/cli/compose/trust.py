"""Projects from elsewhere see variables of the user's: which, and whether they shall, is asked before they run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace

from wharf.cli.command import Session
from wharf.cli.compose.project import files_of, flags_of
from wharf.compose.load.interpolate import variables_in
from wharf.compose.load.project import Loaded, Request, load_tree
from wharf.compose.remote.bring import is_elsewhere
from wharf.errors import Forbidden
from wharf.lib.tables import render

_QUIET = frozenset({"quiet", "json"})


def ask_about(session: Session, request: Request, loaded: Loaded, *, yes: bool) -> None:
    """Say where a project from elsewhere is kept, and ask whether it shall have the variables that it uses.

    Args:
        session: Of the command line.
        request: What was asked to load.
        loaded: What it means.
        yes: Whether everything is agreed to.

    Raises:
        Forbidden: the user does not agree.
    """
    tree, found, _ = load_tree(replace(request, interpolate=False), files_of(session, request))
    names = found.names
    if not any(is_elsewhere(name) for name in names):
        return
    included = [name for name in loaded.elsewhere if name not in names]
    if included and not yes:
        told = "".join(f"  - {name}\n" for name in included)
        _ask(session, "Warning: this project includes files from remote sources, which could be malicious:\n"
                      f"{told}Do you want to continue? [y/N]: ", default=False)  # fmt: skip
    if is_elsewhere(names[0]) and flags_of(session).text("progress") not in _QUIET:
        session.print(f'Your compose stack "{names[0]}" is stored in "{loaded.project.working_dir}"')
    rows = variable_rows(variables_in(tree), os.environ)
    if rows and not yes:
        head = ["VARIABLE", "VALUE", "SOURCE", "REQUIRED", "DEFAULT"]
        session.print("\nFound the following variables in configuration:\n" + render([head, *rows]))
        _ask(session, "Do you want to proceed with these variables? [Y/n]: ", default=True)


def variable_rows(variables: Mapping[str, tuple[str, bool, str]], environment: Mapping[str, str]) -> list[list[str]]:
    """Return a row for each variable: its name, value, where that is from, whether it is required, its default.

    Args:
        variables: Name → (default, required, alternate value).
        environment: The user's.
    """
    rows = []
    for name, (default, required, _) in sorted(variables.items()):
        if name in environment:
            value, source = environment[name], "environment"
        elif default:
            value, source = default, "compose file"
        else:
            value, source = "<unset>", "none"
        rows.append([name, value, source, "yes" if required else "no", default])
    return rows


def _ask(session: Session, question: str, *, default: bool) -> None:
    session.warn(question)
    line = sys.stdin.readline()
    answer = line.strip().lower()
    agreed = answer in {"y", "yes"} or (default and bool(line) and not answer)  # the end of input agrees to nothing
    if not agreed:
        raise Forbidden("operation cancelled by user")
