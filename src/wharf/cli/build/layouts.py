"""Folders that are image layouts: which manifests they have, and what those are called (image-spec, image-layout)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from wharf.client.documents import as_document, as_documents, text
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
    """Enter a manifest, whose blob is there, under names: annotations, which other manifests lose."""
    others = [one for one in listed(folder) if not any(_has(one, name) for name in names)]
    entries = [{**manifest, "annotations": dict(name)} for name in names]
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [*others, *entries]}
    _replace(os.path.join(folder, "oci-layout"), dumps({"imageLayoutVersion": "1.0.0"}))
    _replace(os.path.join(folder, "index.json"), dumps(index))


def _has(entry: dict[str, object], name: Mapping[str, str]) -> bool:
    return all(text(entry, "annotations", key) == value for key, value in name.items())


def _replace(path: str, data: str) -> None:
    with open(f"{path}.part", "w", encoding="utf-8") as file:
        file.write(data)
    os.rename(f"{path}.part", path)
