from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose.plan.images import image_names, image_needs
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
        ("{build: ., image: x}", {}, {}, ["image:x, BuildImage, missing"]),
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
        ("{image: x, pull_policy: daily}", {}, "services.a.pull_policy: 'daily' is not supported here"),
    ],
)
def test_image_that_cannot_be_had_is_refused(service: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        needs(service, **options)


def test_names_are_those_of_services_hooks_and_mounts_each_once() -> None:
    app = project(
        "services: {a: {image: x, pre_start: [{image: h, command: c}]}, b: {image: x}, c: {build: .}, d:"
        " {provider: {type: t}}}"
    )

    assert image_names(app) == ["x", "h", "app-c"]


def test_what_one_service_builds_is_not_pulled_for_another() -> None:
    app = project("services: {a: {image: x}, b: {image: x, build: .}, c: {image: y}}")

    assert [str(need) for need in image_needs(app, {})] == [
        "image:x, BuildImage, missing",
        "image:y, PullImage, missing",
    ]
