from __future__ import annotations

import json

import pytest

from wharf.build.caches.manifest import Form
from wharf.engine.buildkit.cache_options import CacheFrom, caches_from, caches_to
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.images.packing import Compression
from wharf.lib.reference import parse_reference
from wharf.spec.buildkit.control_pb2 import CacheOptions, CacheOptionsEntry


def _options(*exports: tuple[str, dict[str, str]]) -> CacheOptions:
    return CacheOptions(Exports=[CacheOptionsEntry(Type=kind, Attrs=attributes) for kind, attributes in exports])


def test_a_cache_is_written_as_its_options_say() -> None:
    asked = {"dest": "/c", "mode": "max", "oci-mediatypes": "false", "compression": "zstd", "ignore-error": "true"}
    registry, local, inline = caches_to(
        _options(("registry", {"ref": "host:5000/name"}), ("local", asked), ("inline", {"mode": "max"})), {}
    )
    assert (str(registry.reference), registry.form, registry.everything) == ("host:5000/name:latest", Form(), False)
    assert (local.folder, local.form, local.everything) == ("/c", Form(image_manifest=False, oci=False), True)
    assert (local.compression, local.ignore_error) == (Compression("zstd", oci=False), True)
    assert (inline.kind, inline.everything) == ("inline", False)


def test_older_clients_ask_in_other_places() -> None:
    assert [one.kind for one in caches_to(CacheOptions(), {"build-arg:BUILDKIT_INLINE_CACHE": "1"})] == ["inline"]
    old = CacheOptions(ExportRefDeprecated="r", ExportAttrsDeprecated={"mode": "max"})
    assert [(one.kind, one.everything) for one in caches_to(old, {})] == [("registry", True)]
    assert [str(one.reference) for one in caches_from({"cache-from": "a,b:2"})] == [
        "docker.io/library/a:latest",
        "docker.io/library/b:2",
    ]


def test_a_cache_that_is_named_twice_is_looked_into_once() -> None:
    digest = f"sha256:{'a' * 64}"
    entries = [
        {"Type": "registry", "Attrs": {"ref": "a"}},
        {"Type": "local", "Attrs": {"src": "/c", "digest": digest, "tag": "t"}},
    ]
    options = CacheOptions(Imports=[CacheOptionsEntry(Type="registry", Attrs={"ref": "a"})])
    assert caches_from({"cache-imports": json.dumps(entries)}, options) == [
        CacheFrom("registry", parse_reference("a:latest")),
        CacheFrom("local", None, "/c", digest),
    ]


@pytest.mark.parametrize(
    ("kind", "attributes", "said"),
    [
        ("gha", {}, "type gha are not supported"),
        ("s3", {}, "type s3 are not supported"),
        ("registry", {"ref": "a", "registry.insecure": "true"}, r"option registry\.insecure"),
        ("inline", {"compression": "zstd"}, "option compression"),
        ("registry", {"ref": "a", "compression": "estargz"}, "compressed as estargz"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(kind: str, attributes: dict[str, str], said: str) -> None:
    with pytest.raises(NotImplementedHere, match=said):
        caches_to(_options((kind, attributes)), {})


@pytest.mark.parametrize(
    ("exports", "said"),
    [
        ([("registry", {})], "requires ref"),
        ([("registry", {"ref": f"a@sha256:{'a' * 64}"})], "cannot be written to a digest"),
        ([("local", {})], "requires dest"),
        ([("local", {"dest": "c", "mode": "most"})], "invalid mode"),
        ([("local", {"dest": "c", "image-manifest": "true", "oci-mediatypes": "false"})], "needs OCI"),
        ([("local", {"dest": "c"}), ("local", {"dest": "c"})], "twice"),
    ],
)
def test_what_makes_no_sense_is_refused(exports: list[tuple[str, dict[str, str]]], said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        caches_to(_options(*exports), {})


def test_imports_are_checked_as_well() -> None:
    with pytest.raises(NotImplementedHere, match="azblob"):
        caches_from({"cache-imports": '[{"Type":"azblob"}]'})
    with pytest.raises(InvalidArgument, match="requires digest"):
        caches_from({"cache-imports": '[{"Type":"local","Attrs":{"src":"/c"}}]'})
    with pytest.raises(InvalidArgument, match="failed to unmarshal cache-imports"):
        caches_from({"cache-imports": "{"})
