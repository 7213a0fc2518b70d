"""Docker's config.json and the folder that it is in: who is logged in where, and which engine is meant.

Shared with docker's own command line. What we do not know in it is kept as it is.
"""

from __future__ import annotations

import os

from wharf.client.documents import as_document
from wharf.errors import InvalidArgument
from wharf.lib.light_json import dumps_pretty, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wharf.client.documents import Document


def config_folder(environment: Mapping[str, str]) -> str:
    """Return ``DOCKER_CONFIG``, or .docker in the home folder."""
    return environment.get("DOCKER_CONFIG") or os.path.join(environment.get("HOME") or "/root", ".docker")


def read_document(path: str) -> Document:
    """Return a file's JSON object; empty when there is no file, or it is another user's.

    Raises:
        InvalidArgument: it is not a JSON object.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    try:
        return as_document(loads(raw.decode("utf-8", "replace"))) if raw.strip() else {}
    except ValueError as error:
        raise InvalidArgument(f"{path} is not JSON: {error}") from error


def write_document(path: str, document: Document) -> None:
    """Replace a file by a JSON object, at once and for its owner alone."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    target = os.path.realpath(path)  # a link to it stays a link
    scratch = f"{target}.{os.getpid()}.tmp"
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(dumps_pretty(document, indent="\t").encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.rename(scratch, target)
    except BaseException:
        os.unlink(scratch)
        raise


def read_config(environment: Mapping[str, str]) -> Document:
    """Return config.json; InvalidArgument when it is malformed."""
    return read_document(os.path.join(config_folder(environment), "config.json"))


def write_config(environment: Mapping[str, str], document: Document) -> None:
    """Replace config.json."""
    write_document(os.path.join(config_folder(environment), "config.json"), document)
