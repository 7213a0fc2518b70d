from __future__ import annotations

from tests.fakes.compose import project

from wharf.cli.compose.images import builds_in_order
from wharf.compose.plan.images import image_needs


def test_images_are_built_after_those_they_are_built_from() -> None:
    app = project("""
services:
  a: {build: {context: ., additional_contexts: {base: "service:b"}}}
  b: {build: {context: ., additional_contexts: {base: "service:c", other: docker-image://x}}}
  c: {build: .}
  d: {image: y}
""")

    assert [need.service for need in builds_in_order(app, image_needs(app, {}))] == ["c", "b", "a"]
