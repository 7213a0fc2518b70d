"""Who is logged in where: kept in config.json, or by a docker-credential-helper that it names."""

from __future__ import annotations

import os

from wharf.client.config import config_folder, read_config, write_config
from wharf.client.documents import section, text
from wharf.errors import InvalidArgument, Unavailable
from wharf.lib.light_json import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wharf.client.documents import Document

HUB = "https://index.docker.io/v1/"
_MAX_ANSWER = 1 << 20


def server_key(address: str) -> str:
    """Return under which key a registry's credentials are kept: its host, or Docker Hub's old name.

    Raises:
        InvalidArgument: it is no address.
    """
    host = address.removeprefix("https://").removeprefix("http://").partition("/")[0]
    if not host or any(letter.isspace() for letter in host):
        raise InvalidArgument(f"invalid registry address: {address!r}")
    return HUB if host in {"docker.io", "index.docker.io"} else host


def store(server: str, auth: Document, environment: Mapping[str, str]) -> str:
    """Keep credentials (an AuthConfig); return where, when that is a file without encryption.

    Raises:
        Unavailable: the program that should keep them fails.
    """
    config = read_config(environment)
    if helper := _helper(config, server):
        token = text(auth, "identitytoken")
        secret = token or text(auth, "password")
        document = {"ServerURL": server, "Username": "<token>" if token else text(auth, "username"), "Secret": secret}
        _ask(helper, "store", dumps(document).encode())
        write_config(environment, {**config, "auths": {**section(config, "auths"), server: {}}})
        return ""
    write_config(environment, {**config, "auths": {**section(config, "auths"), server: _entry(auth)}})
    return os.path.join(config_folder(environment), "config.json")


def erase(server: str, environment: Mapping[str, str]) -> None:
    """Forget credentials, under each name that they may have been kept by; those nobody keeps are forgotten already.

    Raises:
        Unavailable: the program that keeps them fails.
    """
    config = read_config(environment)
    auths = {key: value for key, value in section(config, "auths").items() if _host(key) != _host(server)}
    if auths != section(config, "auths"):
        write_config(environment, {**config, "auths": auths})
    if helper := _helper(config, server):
        keys = [server] if server == HUB else [server, f"http://{server}", f"https://{server}"]
        failures = list(filter(None, (_failure_to_erase(helper, key) for key in keys)))
        if len(failures) == len(keys):
            raise failures[0]


def _failure_to_erase(helper: str, key: str) -> Unavailable | None:
    try:
        _ask(helper, "erase", key.encode())
    except Unavailable as error:
        return error
    return None


def username(server: str, environment: Mapping[str, str]) -> str:
    """Return who is logged in there by config.json; empty when nobody is, or a program keeps it."""
    auths = section(read_config(environment), "auths")
    for key in auths:
        if _host(key) == _host(server) and text(section(auths, key), "auth"):
            from binascii import a2b_base64  # noqa: PLC0415

            return a2b_base64(text(section(auths, key), "auth")).decode("utf-8", "replace").partition(":")[0]
    return ""


def _host(address: str) -> str:
    return address.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _entry(auth: Document) -> Document:
    from binascii import b2a_base64  # noqa: PLC0415  # only for who logs in

    token = text(auth, "identitytoken")
    pair = f"{text(auth, 'username')}:{'' if token else text(auth, 'password')}"
    entry: Document = {"auth": b2a_base64(pair.encode(), newline=False).decode()}
    return {**entry, "identitytoken": token} if token else entry


def _helper(config: Document, server: str) -> str:
    name = text(section(config, "credHelpers"), server) or text(config, "credsStore")
    if name and not all(letter.isalnum() or letter in "-_." for letter in name):
        raise InvalidArgument(f"invalid credential helper: {name}")
    return name and f"docker-credential-{name}"


def _ask(program: str, verb: str, question: bytes) -> bytes:
    """Run a helper with ``question`` on its standard input; return what it says."""
    asked, ask = os.pipe()
    answered, answer = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, asked, 0), (os.POSIX_SPAWN_DUP2, answer, 1)]
    try:
        pid = os.posix_spawnp(program, [program, verb], os.environ, file_actions=actions)
    except OSError as error:
        os.close(ask)
        os.close(answered)
        raise Unavailable(f"error {verb[:-1]}ing credentials: {program}: {(error.strerror or '').lower()}") from error
    finally:
        os.close(asked)
        os.close(answer)
    with os.fdopen(ask, "wb") as told:
        told.write(question)
    with os.fdopen(answered, "rb") as stream:
        said = stream.read(_MAX_ANSWER)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        reason = said[:200].decode("utf-8", "replace").strip()
        raise Unavailable(f"error {verb[:-1]}ing credentials: {program}: {reason}")
    return said
