"""Which caches a client names, to take results from and to write them to (BuildKit, api/services/control). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from wharf.build.caches.manifest import Form
from wharf.engine.buildkit.compression import COMPRESSION, compression_of
from wharf.engine.buildkit.truth import truth_of
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.images.lookup import tagged
from wharf.images.packing import Compression
from wharf.lib.reference import Reference, parse_reference
from wharf.spec.buildkit.control_pb2 import CacheOptions

_EXPORT: Final = {"mode", "image-manifest", "oci-mediatypes", "ignore-error", *COMPRESSION}
_EXPORTS: Final[Mapping[str, set[str]]] = {
    "inline": {"mode", "ignore-error"},
    "registry": {"ref", *_EXPORT},
    "local": {"dest", "tag", *_EXPORT},
}
_IMPORTS: Final[Mapping[str, set[str]]] = {"registry": {"ref"}, "local": {"src", "tag", "digest"}}


@dataclass(frozen=True, slots=True)
class CacheTo:
    """A cache to be written."""

    kind: str  # inline | registry | local
    reference: Reference | None = None  # of a registry's
    folder: str = ""  # of the client's
    everything: bool = False  # mode=max: intermediate results too
    form: Form = field(default_factory=Form)
    compression: Compression = field(default_factory=Compression)
    ignore_error: bool = False


@dataclass(frozen=True, slots=True)
class CacheFrom:
    """A cache to take results from."""

    kind: str  # registry | local
    reference: Reference | None = None
    folder: str = ""
    digest: str = ""  # of a folder's manifest


class _Entry(msgspec.Struct):
    type: str = msgspec.field(name="Type", default="")
    attributes: dict[str, str] | None = msgspec.field(name="Attrs", default=None)


def caches_to(options: CacheOptions, attributes: Mapping[str, str]) -> list[CacheTo]:
    """Return the caches that are to be written, checked.

    Args:
        options: the request's.
        attributes: the frontend's, of which one asks for an inline cache.

    Raises:
        NotImplementedHere: a kind, or an option of one, is not supported; with its name.
        InvalidArgument: an option is malformed.
    """
    entries = [(one.Type, dict(one.Attrs)) for one in options.Exports]
    if options.ExportRefDeprecated and not entries:
        entries.append(("registry", {**options.ExportAttrsDeprecated, "ref": options.ExportRefDeprecated}))
    if truth_of(attributes, "build-arg:BUILDKIT_INLINE_CACHE") and "inline" not in dict(entries):
        entries.append(("inline", {}))
    found = [_to(kind, own) for kind, own in entries]
    places = [(one.kind, str(one.reference), one.folder) for one in found]
    if len(set(places)) < len(places):
        raise InvalidArgument("the same cache is to be written twice")
    return found


def _to(kind: str, attributes: Mapping[str, str]) -> CacheTo:
    _require(kind, attributes, _EXPORTS, "export")
    if attributes.get("mode", "min") not in ("min", "max"):
        raise InvalidArgument(f"invalid mode of a cache: {attributes['mode']}: it is min or max")
    oci = truth_of(attributes, "oci-mediatypes", default=True)
    image_manifest = truth_of(attributes, "image-manifest", default=oci)
    if image_manifest and not oci:
        raise InvalidArgument("invalid cache: image-manifest=true needs OCI's media types")
    if attributes.get("compression") == "estargz":
        raise NotImplementedHere("caches compressed as estargz are not supported by this build of wharf: use gzip")
    return CacheTo(
        kind,
        _reference(attributes, "exporter") if kind == "registry" else None,
        _needed(attributes, "dest", "exporter") if kind == "local" else "",
        attributes.get("mode") == "max" and kind != "inline",
        Form(image_manifest, oci),
        compression_of(attributes, oci=oci),
        truth_of(attributes, "ignore-error"),
    )


def caches_from(attributes: Mapping[str, str], options: CacheOptions | None = None) -> list[CacheFrom]:
    """Return the caches to take results from, each once.

    Args:
        attributes: the frontend's: ``cache-imports``, or ``cache-from`` as clients before 2019 say it.
        options: the request's.

    Raises:
        NotImplementedHere: a kind, or an option of one, is not supported; with its name.
        InvalidArgument: an option is malformed.
    """
    entries = [(one.Type, dict(one.Attrs)) for one in options.Imports] if options else []
    entries += [("registry", {"ref": ref}) for ref in attributes.get("cache-from", "").split(",") if ref]
    entries += _listed(attributes.get("cache-imports", ""))
    return list(dict.fromkeys(_from(kind, own) for kind, own in entries))


def _listed(text: str) -> Iterable[tuple[str, dict[str, str]]]:
    try:
        entries = msgspec.json.decode(text, type=list[_Entry]) if text else []
    except msgspec.MsgspecError as error:
        raise InvalidArgument(f"failed to unmarshal cache-imports ({text[:200]}): {error}") from None
    return [(one.type, one.attributes or {}) for one in entries]


def _from(kind: str, attributes: Mapping[str, str]) -> CacheFrom:
    _require(kind, attributes, _IMPORTS, "import")
    if kind == "registry":
        return CacheFrom(kind, _reference(attributes, "importer"))
    return CacheFrom(kind, None, _needed(attributes, "src", "importer"), _needed(attributes, "digest", "importer"))


def _require(kind: str, attributes: Mapping[str, str], known: Mapping[str, set[str]], what: str) -> None:
    if kind not in known:
        raise NotImplementedHere(
            f"caches of the type {kind} are not supported by this build of wharf: {', '.join(known)} are ({what})"
        )
    for name in attributes:
        if name not in known[kind]:
            said = f"the option {name} of a cache {what} of the type {kind} is not supported by this build of wharf"
            raise NotImplementedHere(said)


def _needed(attributes: Mapping[str, str], name: str, what: str) -> str:
    if not attributes.get(name):
        raise InvalidArgument(f"local cache {what} requires {name}")
    return attributes[name]


def _reference(attributes: Mapping[str, str], what: str) -> Reference:
    if not attributes.get("ref"):
        raise InvalidArgument(f"registry cache {what} requires ref")
    reference = parse_reference(attributes["ref"])
    if reference.digest and what == "exporter":
        raise InvalidArgument(f"a cache cannot be written to a digest: {reference}")
    return reference if reference.digest else tagged(reference.repository, reference.tag)
