from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose.plan.images import aging, image_names, image_needs
from wharf.errors import InvalidArgument


def needs(service: str, present: dict[str, str] | None = None, **options: object) -> list[str]:
    app = project(f"services: {{a: {service}}}")
    return [str(need) for need in image_needs(app, present or {}, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("service", "present", "options", "found"),
    [
        ("{image: x}", {}, {}, ["image:x, PullImage, missing"]),
        ("{image: x}", {"x": "1"}, {}, []),
        ("{image: x, pull_policy: always}", {"x": "1"}, {}, ["image:x, PullImage, its policy says so"]),
        ("{image: x}", {"x": "1"}, {"pull": "always"}, ["image:x, PullImage, --pull always"]),
        ("{image: x, pull_policy: always}", {"x": "1"}, {"pull": "missing"}, []),
        ("{build: .}", {}, {}, ["image:app-a, BuildImage, missing"]),
        ("{build: .}", {"app-a": "1"}, {}, []),
        ("{build: .}", {"app-a": "1"}, {"build": True}, ["image:app-a, BuildImage, --build"]),
        ("{build: ., pull_policy: build}", {"app-a": "1"}, {}, ["image:app-a, BuildImage, its policy says so"]),
        ("{build: ., image: x}", {}, {},
         ["image:x, PullImage, missing", "image:x, BuildImage, if it cannot be pulled"]),
        ("{build: ., image: x, pull_policy: never}", {}, {}, ["image:x, BuildImage, missing"]),
        ("{build: ., image: x, pull_policy: always}", {"x": "1"}, {}, ["image:x, PullImage, its policy says so"]),
        ("{build: ., image: x}", {}, {"no_build": True}, ["image:x, PullImage, missing"]),
        ("{build: .}", {"app-a": "1"}, {"build": True, "only": ["b"]}, []),
        ("{provider: {type: t}}", {}, {}, []),
        ("{image: x, pre_start: [{image: h, command: c}], volumes: [{type: image, source: v, target: /v}]}",
         {"x": "1"}, {}, ["image:h, PullImage, missing", "image:v, PullImage, missing"]),
    ],
)  # fmt: skip
def test_image_is_had_for_a_cause(
    service: str, present: dict[str, str], options: dict[str, object], found: list[str]
) -> None:
    assert needs(service, present, **options) == found


@pytest.mark.parametrize(
    ("service", "options", "said"),
    [
        ("{image: x, pull_policy: never}", {}, "no such image: x"),
        ("{build: .}", {"no_build": True}, "no such image: app-a"),
        ("{image: x, pull_policy: every_1d2y}", {}, "services.a.pull_policy: invalid policy 'every_1d2y'"),
        ("{image: x, pull_policy: refresh}", {}, "services.a.pull_policy: invalid policy 'refresh'"),
    ],
)
def test_image_that_cannot_be_had_is_refused(service: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        needs(service, **options)


@pytest.mark.parametrize(
    ("policy", "after_s"),
    [
        ("pull_policy: daily", 86400), ("pull_policy: weekly", 604800), ("pull_policy: every_1d2h3m4s", 93784),
        ("pull_policy: every_1w", 604800), ("pull_policy: refresh, pull_refresh_after: 90m", 5400),
    ],
)  # fmt: skip
def test_image_is_pulled_again_from_an_age_on(policy: str, after_s: int) -> None:
    app = project(f"services: {{a: {{image: x, {policy}}}}}")

    assert aging(app) == ["x"]
    assert [need.name for need in image_needs(app, {"x": "1"}, ages_s={"x": after_s})] == ["x"]
    assert image_needs(app, {"x": "1"}, ages_s={"x": after_s - 1}) == []
    assert [need.cause for need in image_needs(app, {}, ages_s={})] == ["missing"]


def test_image_that_another_service_builds_need_not_be_had_from_elsewhere() -> None:
    app = project("services: {a: {image: x}, b: {image: x, build: .}}")
    found = [(str(need), need.optional) for need in image_needs(app, {})]

    assert found == [("image:x, PullImage, missing", True), ("image:x, BuildImage, if it cannot be pulled", True)]


def test_of_services_that_build_one_image_in_several_ways_the_last_ones_counts() -> None:
    app = project("""
services:
  c: {image: x, build: {context: ., target: last}}
  b: {image: x, build: .}
  a: {image: x, build: {context: ., target: first}}
  same: {image: y, build: .}
  too: {image: y, build: .}
""")

    # Those that build in one way differ in the image's labels alone: the last one's is enough.
    assert [(need.name, need.service) for need in image_needs(app, {}, build=True)] == [
        ("x", "a"), ("x", "b"), ("x", "c"), ("y", "too"),
    ]  # fmt: skip


def test_names_are_those_of_services_hooks_and_mounts_each_once() -> None:
    app = project(
        "services: {a: {image: x, pre_start: [{image: h, command: c}]}, b: {image: x}, c: {build: .}, d:"
        " {provider: {type: t}}}"
    )

    assert image_names(app) == ["x", "h", "app-c"]
