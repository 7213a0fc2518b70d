"""Builds without a machine: a Dockerfile's conversion with images that a test makes up."""

from __future__ import annotations

from typing import Any

from wharf.build.convert.convert import Converted, Missing, convert
from wharf.build.convert.options import BaseImage, ImageName, Options
from wharf.build.dockerfile.stages import read
from wharf.images.platform import Platform
from wharf.spec.oci_image import ImageConfig

HOST = Platform("linux", "amd64")
LAYER = "sha256:" + "b" * 64


def image(**config: Any) -> BaseImage:
    """An image of one layer whose configuration has these fields."""
    document: ImageConfig = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2020-01-01T00:00:00Z",
        "config": {"Env": ["PATH=/bin"], **config},  # type: ignore[typeddict-item]
        "rootfs": {"type": "layers", "diff_ids": [LAYER]},
        "history": [{"created_by": "base"}],
    }
    return BaseImage("sha256:" + "a" * 64, document)


def converted(text: str, base: BaseImage | None = None, **options: Any) -> Converted:
    """Convert a Dockerfile; every image it asks for is ``base``."""
    known: dict[ImageName, BaseImage] = {}
    chosen = Options(**{"host": HOST, "platform": HOST, **options})
    while isinstance(found := convert(read(text), chosen, known), Missing):
        known |= dict.fromkeys(found.images, base or image())
    return found
