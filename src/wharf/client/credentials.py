"""Who asks a registry: what ``docker login`` has stored (config.json), as the header that the engine wants.

Of config.json: ``auths`` (a user's name and password, in base64, or an identity token), ``credHelpers`` and
``credsStore``: programs called docker-credential-NAME that keep them (docker-credential-helpers' protocol).
"""

from __future__ import annotations

import os

from wharf.client.documents import as_document, section, text
from wharf.client.programs import ask
from wharf.errors import InvalidArgument, Unavailable
from wharf.lib.light_json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wharf.client.documents import Document

HUB = "https://index.docker.io/v1/"
_KEPT = ("auth", "username", "password", "identitytoken")


def registry_of(reference: str) -> str:
    """Return under which key credentials for an image's registry are stored: its host, or Docker Hub's old name."""
    first, slash, _ = reference.partition("/")
    if slash and (set(".:") & set(first) or first == "localhost"):
        return HUB if first in {"docker.io", "index.docker.io"} else first
    return HUB


def read_config(environment: Mapping[str, str]) -> Document:
    """Return config.json of ``DOCKER_CONFIG`` or the home folder; empty when there is none.

    Raises:
        InvalidArgument: it is not JSON.
    """
    folder = environment.get("DOCKER_CONFIG") or os.path.join(environment.get("HOME") or "/root", ".docker")
    path = os.path.join(folder, "config.json")
    try:
        with open(path, "rb") as file:
            return as_document(loads(file.read().decode("utf-8", "replace")))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    except ValueError as error:
        raise InvalidArgument(f"{path} is not JSON: {error}") from error


def auth_header(reference: str, environment: Mapping[str, str]) -> str:
    """Return ``X-Registry-Auth`` for an image's registry, empty when nothing is stored for it.

    Raises:
        InvalidArgument: the configuration is malformed.
        Unavailable: the program that keeps the credentials fails.
    """
    server = registry_of(reference)
    config = read_config(environment)
    helper = text(section(config, "credHelpers"), server) or text(config, "credsStore")
    found = _from_helper(helper, server) if helper else _from_auths(section(config, "auths"), server)
    return _encoded({**found, "serveraddress": server}) if found else ""


def stored_for(server: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """Return the name and the password stored for a registry; a token has no name. Empty for nothing.

    Raises as :func:`auth_header`.
    """
    config = read_config(environment)
    helper = text(section(config, "credHelpers"), server) or text(config, "credsStore")
    found = _from_helper(helper, server) if helper else _from_auths(section(config, "auths"), server)
    if token := text(found, "identitytoken"):
        return "", token
    if text(found, "username"):
        return text(found, "username"), text(found, "password")
    from binascii import Error, a2b_base64  # noqa: PLC0415  # only for who has credentials

    try:
        name, _, password = a2b_base64(text(found, "auth")).decode().partition(":")
    except (Error, UnicodeDecodeError) as error:
        raise InvalidArgument(f"the credentials for {server} are not base64") from error
    return name, password


def config_header(environment: Mapping[str, str]) -> str:
    """Return ``X-Registry-Config``: all that is stored, for a build may need any of it; empty for nothing.

    Raises as :func:`auth_header`.
    """
    found = everything_stored(environment)
    return _encoded(found) if found else ""


def everything_stored(environment: Mapping[str, str]) -> Document:
    """Return registry → its credentials, of all that are stored, also by helpers.

    Raises as :func:`auth_header`.
    """
    config = read_config(environment)
    helpers, store = section(config, "credHelpers"), text(config, "credsStore")
    found: Document = {}
    for server in section(config, "auths"):
        found[server] = _from_auths(section(config, "auths"), server)
    for server in _servers(store) if store else ():
        found[server] = _from_helper(store, server)
    for server in helpers:
        found[server] = _from_helper(text(helpers, server), server)
    return {server: credentials for server, credentials in found.items() if credentials}


def as_auths(credentials: Document) -> Document:
    """Return credentials as config.json keeps them: a name and a password are one text in base64."""
    from binascii import b2a_base64  # noqa: PLC0415  # only for who has credentials

    found: Document = {}
    for server in credentials:
        one = section(credentials, server)
        if text(one, "username"):
            both = f"{text(one, 'username')}:{text(one, 'password')}".encode()
            rest = {name: one[name] for name in one if name not in {"username", "password"}}
            one = {**rest, "auth": b2a_base64(both, newline=False).decode()}
        found[server] = one
    return found


def _servers(name: str) -> list[str]:
    """Ask ``docker-credential-NAME list`` for which servers it has credentials."""
    return list(_answer_of(name, "list", ""))


def _from_auths(auths: Document, server: str) -> Document:
    for key in auths:
        if _host(key) == _host(server):
            entry = section(auths, key)
            return {name: entry[name] for name in _KEPT if entry.get(name)}
    return {}


def _host(address: str) -> str:
    return address.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _encoded(document: Document) -> str:
    from binascii import b2a_base64  # noqa: PLC0415  # only for who has credentials

    encoded = b2a_base64(dumps(document).encode(), newline=False).decode()
    return encoded.replace("+", "-").replace("/", "_")


def _from_helper(name: str, server: str) -> Document:
    """Ask ``docker-credential-NAME get``; empty when it has none for that server."""
    document = _answer_of(name, "get", server)
    username, secret = text(document, "Username"), text(document, "Secret")
    if not document:
        return {}
    if username == "<token>":
        return {"identitytoken": secret}
    return {"username": username, "password": secret}


def _answer_of(name: str, verb: str, question: str) -> Document:
    """Ask a helper; what it has none of is empty."""
    program = f"docker-credential-{name}"
    if not all(letter.isalnum() or letter in "-_." for letter in name):
        raise InvalidArgument(f"invalid credential helper: {name}")
    try:
        code, answer, _ = ask([program, verb], question.encode())
    except OSError as error:
        raise Unavailable(f"error getting credentials: {program}: {(error.strerror or '').lower()}") from error
    if code != 0:
        if b"credentials not found" in answer:
            return {}
        raise Unavailable(f"error getting credentials: {program}: {answer[:200].decode('utf-8', 'replace').strip()}")
    try:
        return as_document(loads(answer.decode("utf-8", "replace")))
    except ValueError as error:
        raise Unavailable(f"error getting credentials: {program} answered what is not JSON") from error
