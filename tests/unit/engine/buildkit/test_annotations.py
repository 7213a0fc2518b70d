from __future__ import annotations

import pytest

from wharf.engine.buildkit.annotations import annotations_of, is_annotation
from wharf.errors import InvalidArgument
from wharf.images.platform import parse_platform

ARM = parse_platform("linux/arm64")


def test_annotations_have_levels_and_platforms() -> None:
    found = annotations_of(
        {
            "annotation.a.b": "1",
            "annotation-manifest[linux/arm64].a.b": "2",
            "annotation-index.c": "3",
            "annotation-manifest-descriptor[linux/arm64].d": "4",
            "name": "x",
        }
    )
    assert (found.of("manifest"), found.of("manifest", ARM)) == ({"a.b": "1"}, {"a.b": "2"})
    assert (found.of("index"), found.of("manifest-descriptor", ARM)) == ({"c": "3"}, {"d": "4"})
    assert (found.platforms, found.needs_index) == ({"linux/arm64"}, True)


def test_other_options_are_none() -> None:
    assert is_annotation("annotation-index-descriptor.k")
    assert not is_annotation("annotation")
    assert not is_annotation("annotations.k")


def test_an_index_is_of_no_platform() -> None:
    with pytest.raises(InvalidArgument, match="of no platform"):
        annotations_of({"annotation-index[linux/arm64].k": "v"})
