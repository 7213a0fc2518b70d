"""Looks at a Dockerfile as a build of all its stages would."""

from __future__ import annotations

from wharf.build.checks.check import Report, check
from wharf.build.checks.settings import settings_of
from wharf.build.convert.convert import Missing
from wharf.build.convert.options import UNKNOWN_IMAGE, BaseImage, ImageName, Options
from wharf.build.dockerfile.parser import parse
from wharf.images.platform import Platform
from wharf.lib.ignore import Matcher

_HOST = Platform("linux", "amd64")
_IMAGE = BaseImage(
    "sha256:00",
    {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Env": ["PATH=/bin", "FROM_IMAGE=1"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:00"]},
    },
)


def report(text: str, *, ignored: tuple[str, ...] = (), target: str = "", every_stage: bool = True) -> Report:
    """Return what is found; images whose name says ``unknown`` cannot be had."""
    options, settings = Options(_HOST, _HOST, target=target), settings_of(text)
    known: dict[ImageName, BaseImage] = {}
    while True:
        found = check(parse(text), options, settings, known, Matcher(ignored), every_stage=every_stage)
        if not isinstance(found, Missing):
            return found
        known |= {name: UNKNOWN_IMAGE if "unknown" in name.reference else _IMAGE for name in found.images}


def found(text: str, *ignored: str) -> list[str]:
    """Return the findings as lines."""
    return [f"{one.lines[0]} {one.rule.name}: {one.detail}" for one in report(text, ignored=ignored).findings]
