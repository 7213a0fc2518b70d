"""Annotations for exporters: ``annotation[-LEVEL][[PLATFORM]].KEY`` (BuildKit, docs/annotations). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wharf.errors import InvalidArgument
from wharf.images.platform import Platform, parse_platform

_NAME: Final = re.compile(
    r"annotation(?:-(?P<level>manifest|index|manifest-descriptor|index-descriptor))?"
    r"(?:\[(?P<platform>[^\]]*)\])?\.(?P<key>.+)"
)


@dataclass(frozen=True, slots=True)
class Annotations:
    """By level and platform; "" for all platforms."""

    known: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)

    def of(self, level: str, platform: Platform | None = None) -> dict[str, str]:
        """Return those of a level: all platforms', and then this one's."""
        found = dict(self.known.get((level, ""), {}))
        return found | dict(self.known.get((level, str(platform)), {}) if platform else {})

    @property
    def platforms(self) -> set[str]:
        """The platforms that are named."""
        return {platform for _, platform in self.known if platform}

    @property
    def needs_index(self) -> bool:
        """Whether some are of an index."""
        return any(level.startswith("index") for level, _ in self.known)


def is_annotation(name: str) -> bool:
    """Whether an exporter's option is an annotation."""
    return name.startswith("annotation") and _NAME.fullmatch(name) is not None


def annotations_of(attributes: Mapping[str, str]) -> Annotations:
    """Return the annotations among an exporter's options.

    Raises:
        InvalidArgument: one is of an index and of a platform at once, or of no platform.
    """
    known: dict[tuple[str, str], dict[str, str]] = {}
    for name, value in attributes.items():
        match = _NAME.fullmatch(name)
        if match is None:
            continue
        level, platform = match["level"] or "manifest", match["platform"] or ""
        if level.startswith("index") and platform:
            raise InvalidArgument(f"invalid annotation {name}: an index is of no platform")
        named = str(parse_platform(platform)) if platform else ""
        known.setdefault((level, named), {})[match["key"]] = value
    return Annotations(known)
