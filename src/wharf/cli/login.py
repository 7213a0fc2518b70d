"""``wharf login`` and ``wharf logout``."""

from __future__ import annotations

import os
import sys

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.client.documents import text
from wharf.client.logins import HUB, erase, server_key, store, username
from wharf.client.system import System
from wharf.errors import InvalidArgument, WharfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values

_UNENCRYPTED = """
WARNING! Your credentials are stored unencrypted in '{path}'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/
"""


def _login(session: Session, values: Values, arguments: list[str]) -> int:
    server = server_key(arguments[0]) if arguments else HUB
    name, password = _credentials(session, values, server)
    answer = System(session.client).login({"username": name, "password": password, "serveraddress": server})
    token = text(answer, "IdentityToken")
    auth: dict[str, object] = {"username": name, "password": "" if token else password, "identitytoken": token}
    if path := store(server, auth, os.environ):
        session.warn(_UNENCRYPTED.format(path=path))
    session.print(text(answer, "Status") or "Login Succeeded")
    return 0


def _credentials(session: Session, values: Values, server: str) -> tuple[str, str]:
    name, password = values.text("username"), values.text("password")
    if values.on("password-stdin"):
        if password:
            raise InvalidArgument("conflicting options: cannot specify both --password and --password-stdin")
        if not name:
            raise InvalidArgument("the --password-stdin option requires --username to be set")
        return name, sys.stdin.read().removesuffix("\n").removesuffix("\r")
    if password:
        session.warn("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
    if name and password:
        return name, password
    if not sys.stdin.isatty():
        raise InvalidArgument("Error: Cannot perform an interactive login from a non TTY device")
    known = username(server, os.environ)
    if not name:
        name = input(f"Username ({known}): " if known else "Username: ").strip() or known
    if not name:
        raise InvalidArgument("username is required")
    from getpass import getpass  # noqa: PLC0415  # only for who is asked

    password = password or getpass("Password: ")
    if not password:
        raise InvalidArgument("password is required")
    return name, password


def _logout(session: Session, _: Values, arguments: list[str]) -> int:
    server = server_key(arguments[0]) if arguments else HUB
    session.print(f"Removing login credentials for {server}")
    try:
        erase(server, os.environ)
    except WharfError as error:
        session.warn(f"WARNING: could not erase credentials:\n{server}: {error}")
    return 0


COMMANDS = (
    Command(
        "login",
        _login,
        "Log in to a registry",
        arguments="[SERVER]",
        count=(0, 1),
        flags=(
            Flag("password", "string", "Password or token", short="p"),
            Flag("password-stdin", "bool", "Take the password from standard input"),
            Flag("username", "string", "Name", short="u"),
        ),
        examples=("wharf login", "echo $TOKEN | wharf login -u me --password-stdin registry.example.com"),
    ),
    Command(
        "logout",
        _logout,
        "Log out of a registry",
        arguments="[SERVER]",
        count=(0, 1),
        examples=("wharf logout", "wharf logout registry.example.com"),
    ),
)
