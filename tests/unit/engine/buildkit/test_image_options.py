from __future__ import annotations

import pytest

from wharf.engine.buildkit.image_options import ARCHIVED, STORED, ImageOptions, image_options, names_of
from wharf.errors import InvalidArgument, NotImplementedHere


def _stored(**attributes: str) -> ImageOptions:
    return image_options(
        "image", {name.replace("_", "-"): one for name, one in attributes.items()}, STORED, inline=True
    )


def test_options_are_read() -> None:
    found = _stored(name="a,b:2", push="true", store="false", name_canonical="1", oci_mediatypes="false")
    assert [str(name) for name in found.names] == ["docker.io/library/a:latest", "docker.io/library/b:2"]
    assert (found.push, found.store, found.canonical, found.oci, found.inline) == (True, False, True, False, True)
    assert not image_options("oci", {}, ARCHIVED, inline=False).inline
    assert image_options("oci", {"attestation-inline": "true"}, ARCHIVED, inline=False).inline


@pytest.mark.parametrize(("kind", "name"), [("image", "hologram"), ("oci", "registry.insecure"), ("oci", "unpack")])
def test_what_is_not_supported_is_refused_by_name(kind: str, name: str) -> None:
    with pytest.raises(NotImplementedHere, match=f"option {name} of the exporter {kind}"):
        image_options(kind, {name: "true"}, STORED if kind == "image" else ARCHIVED, inline=True)


@pytest.mark.parametrize("name", ["unpack", "prefer-nondist-layers"])
def test_where_both_ways_are_the_same_both_are_taken_and_nothing_else(name: str) -> None:
    taken = [image_options("image", {name: value}, STORED, inline=True) for value in ("true", "false", "")]
    assert taken == [_stored()] * 3
    with pytest.raises(InvalidArgument, match=f"invalid value perhaps for {name}"):
        image_options("image", {name: "perhaps"}, STORED, inline=True)


def test_a_registry_may_be_called_insecure_for_one_push() -> None:
    assert _stored(**{"registry.insecure": "true"}).insecure
    assert not _stored().insecure


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"push": "true"}, "tag is needed when pushing"),
        ({"name": "a:1", "push_by_digest": "true"}, "can't push tagged ref a:1 by digest"),
        ({"annotation.k": "v", "oci_mediatypes": "false"}, "cannot export annotations"),
        ({"compression": "zstd", "oci_mediatypes": "false"}, "needs OCI's media types"),
        ({"compression": "estargz", "oci_mediatypes": "false"}, "compression=estargz needs OCI's media types"),
        ({"name": f"a@sha256:{'0' * 64}"}, "digest reference"),
        ({"push": "maybe"}, "invalid value maybe for push"),
    ],
)
def test_what_makes_no_sense_is_refused(attributes: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        _stored(**attributes)


def test_a_port_is_no_tag() -> None:
    assert _stored(name="host:5000/a", push_by_digest="true").by_digest
    assert [one.tag for one in names_of({"name": "host:5000/a"})] == ["latest"]


def test_times_of_files_can_be_held_back() -> None:
    options = image_options("oci", {"rewrite-timestamp": "true", "source-date-epoch": "7"}, ARCHIVED, inline=False)
    assert (options.retime, options.epoch_s) == (True, 7)
    with pytest.raises(InvalidArgument, match="invalid SOURCE_DATE_EPOCH: soon"):
        image_options("oci", {"source-date-epoch": "soon"}, ARCHIVED, inline=False)
