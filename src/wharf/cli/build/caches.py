"""``--cache-from`` and ``--cache-to``: which caches a build is told of, and folders that keep one."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass

from wharf.cli.build import layouts
from wharf.client.documents import as_document, text
from wharf.errors import InvalidArgument
from wharf.lib.light_json import loads
from wharf.spec.buildkit import control_pb2 as pb

_TAG = "latest"


@dataclass(frozen=True, slots=True)
class Caches:
    """What is asked of the engine, and the folders it may use."""

    options: pb.CacheOptions
    folders: dict[str, str]  # by the engine's name for them
    written: dict[str, str]  # folders whose index is to be written, with the tag in it
    missing: list[str]  # what people are told of folders without a cache: before the first build there is none


def caches_of(sources: Sequence[str], targets: Sequence[str]) -> Caches:
    """Return what the flags say.

    Raises:
        InvalidArgument: one is malformed.
    """
    options = pb.CacheOptions()
    folders: dict[str, str] = {}
    written: dict[str, str] = {}
    missing: list[str] = []
    for kind, attributes in (_parsed(one) for one in targets):
        if kind == "local":
            folder = _folder(attributes, "dest")
            folders[f"local:{folder}"] = folder
            written[folder] = attributes.get("tag", _TAG)
        options.Exports.append(pb.CacheOptionsEntry(Type=kind, Attrs=attributes))
    for kind, attributes in (_parsed(one) for one in sources):
        if kind == "local":
            folder = _folder(attributes, "src")
            folders[f"local:{folder}"] = folder
            digest = attributes.get("digest") or _digest_in(folder, attributes.get("tag", _TAG))
            if not digest:
                missing.append(
                    f"{folder} has no cache with the tag {attributes.get('tag', _TAG)}: nothing is taken of it"
                )
                continue
            attributes["digest"] = digest
        options.Imports.append(pb.CacheOptionsEntry(Type=kind, Attrs=attributes))
    return Caches(options, folders, written, missing)


def _parsed(words: str) -> tuple[str, dict[str, str]]:
    fields = next(csv.reader([words]), [])
    if len(fields) == 1 and "=" not in fields[0]:
        return "registry", {"ref": fields[0]}
    attributes: dict[str, str] = {}
    for one in fields:
        name, equals, value = one.partition("=")
        if not equals:
            raise InvalidArgument(f"invalid value {one}: a cache is an image's name, or a list of key=value")
        attributes[name.strip().lower()] = value
    kind = attributes.pop("type", "")
    if not kind:
        raise InvalidArgument(f"type is required for a cache: {words}")
    return kind, attributes


def _folder(attributes: dict[str, str], name: str) -> str:
    """Return a folder, and enter its whole path."""
    if not attributes.get(name):
        raise InvalidArgument(f"a local cache requires {name}")
    attributes[name] = os.path.abspath(attributes[name])
    return attributes[name]


def _digest_in(folder: str, tag: str) -> str:
    for one in layouts.listed(folder):
        if text(one, "annotations", layouts.REF_NAME) == tag:
            return text(one, "digest")
    return ""


def enter(caches: Caches, told: dict[str, str]) -> None:
    """Enter the manifests that the engine has told of into the indexes of the folders that it has written to."""
    if "cache.manifest" not in told:
        return
    for folder, tag in caches.written.items():
        manifest = as_document(loads(told.get(f"cache.manifest/{folder}", told["cache.manifest"])))
        algorithm, _, name = text(manifest, "digest").partition(":")
        if not os.path.exists(os.path.join(folder, "blobs", algorithm, name)):
            continue  # it is another cache's: this one could not be written
        layouts.enter(folder, manifest, [{layouts.REF_NAME: tag}])
