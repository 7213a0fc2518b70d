"""Folders that are image layouts: which manifests they have, and what those are called (image-spec, image-layout)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from wharf.client.documents import as_document, as_documents, text
from wharf.client.drafts import whole_file
from wharf.errors import InvalidArgument
from wharf.lib.light_json import dumps, loads

REF_NAME = "org.opencontainers.image.ref.name"
_INDEX = "application/vnd.oci.image.index.v1+json"


def listed(folder: str) -> list[dict[str, object]]:
    """Return the manifests that a folder has; none where it is no layout yet.

    Raises:
        InvalidArgument: its index is malformed.
    """
    try:
        with open(os.path.join(folder, "index.json"), encoding="utf-8") as file:
            return as_documents(as_document(loads(file.read())).get("manifests"))
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise InvalidArgument(f"{folder}/index.json is malformed: {error}") from error


def enter(folder: str, manifest: Mapping[str, object], names: Sequence[Mapping[str, str]]) -> None:
    """Enter a manifest, whose blob is there, under names: annotations, which other manifests lose.

    Others that write to the folder meanwhile wait, or are waited for.
    """
    with _locked(folder):
        others = [one for one in listed(folder) if not any(_has(one, name) for name in names)]
        entries = [{**manifest, "annotations": dict(name)} for name in names]
        index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [*others, *entries]}
        _replace(os.path.join(folder, "oci-layout"), dumps({"imageLayoutVersion": "1.0.0"}))
        _replace(os.path.join(folder, "index.json"), dumps(index))


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    """Hold the lock that BuildKit's clients take, too (client/ociindex); who has held it removes its file."""
    path = os.path.join(folder, "index.json.lock")
    while True:
        with open(path, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_at(path, os.fstat(file.fileno())):
                continue  # whoever had it has removed it: what others wait for is another file
            try:
                yield
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(path)
            return


def _is_at(path: str, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), status)
    except FileNotFoundError:
        return False


def _has(entry: dict[str, object], name: Mapping[str, str]) -> bool:
    return all(text(entry, "annotations", key) == value for key, value in name.items())


def _replace(path: str, data: str) -> None:
    with whole_file(path) as file:
        file.write(data.encode())
