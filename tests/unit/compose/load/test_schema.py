from __future__ import annotations

import json
from importlib import resources

import pytest

from wharf.compose.load.located import ComposeError, Map
from wharf.compose.load.schema import _KEYWORDS, check_file
from wharf.compose.load.yaml import parse


def fault(text: str) -> str:
    [tree] = parse(text, "f.yaml")
    assert isinstance(tree, Map)
    with pytest.raises(ComposeError) as raised:
        check_file(tree, "f.yaml")
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "services:\n  web:\n    imag: x\n",
            "validating f.yaml:3: services.web additional properties 'imag' not allowed",
        ),
        ("servces: {}\n", "validating f.yaml:1: additional properties 'servces' not allowed"),
        ("services:\n  web:\n    image: 3\n", "validating f.yaml:3: services.web.image must be a string"),
        ("services:\n  web: [a]\n", "validating f.yaml:2: services.web must be a mapping"),
        ("services:\n  'a b': {}\n", "validating f.yaml:2: services additional properties 'a b' not allowed"),
        (
            "services: {a: {ports: [[1]]}}",
            "validating f.yaml:1: services.a.ports.0 must be a number or string or mapping",
        ),
        ("services: {a: {cap_add: [x, x]}}", "validating f.yaml:1: services.a.cap_add.1 items at 0 and 1 are equal"),
        (
            "services: {a: {oom_score_adj: 1001}}",
            "validating f.yaml:1: services.a.oom_score_adj must be at most 1000",
        ),
        ("services: {a: {develop: {watch: [{path: x}]}}}", "services.a.develop.watch.0 missing property 'action'"),
        ("services: {a: {ulimits: {nofile: {soft: 1}}}}", "services.a.ulimits.nofile missing property 'hard'"),
        (
            "services: {a: {depends_on: {b: {condition: never}}}}",
            "services.a.depends_on.b.condition value must be one of 'service_started', 'service_healthy'",
        ),
    ],
)
def test_what_the_schema_forbids_is_told_with_its_place(text: str, said: str) -> None:
    assert said in fault(text)


@pytest.mark.parametrize(
    "text",
    [
        "services: {a: {image: x, x-mine: [1]}}\nx-more: 2\n",
        "services: {a: {ports: [80, '81:81', {target: 82}], command: !reset null, environment: !override [A=1]}}",
        "services: {a: {scale: 2.0, cpus: 1, ulimits: {nproc: 5}}}",
    ],
)
def test_what_the_schema_allows_is_let_through(text: str) -> None:
    [tree] = parse(text, "f.yaml")
    assert isinstance(tree, Map)

    check_file(tree, "f.yaml")


def test_every_keyword_of_the_schema_is_known() -> None:
    schema = json.loads(resources.files("wharf.compose.load").joinpath("compose-spec.json").read_text())
    spoken = {"$schema", "$id", "$comment", "title", "description", "deprecated", "default", "format", "definitions"}
    spoken |= {"uniqueItems", "maximum", "additionalItems"}  # read with the keyword beside them
    found: set[str] = set()

    def walk(value: object, *, named: bool) -> None:
        if isinstance(value, dict):
            found.update(() if named else value)
            for key, item in value.items():
                if key not in {"enum", "required", "default"} or named:
                    walk(item, named=not named and key in {"properties", "patternProperties", "definitions"})
        elif isinstance(value, list):
            for item in value:
                walk(item, named=False)

    walk(schema, named=False)

    assert found - spoken - set(_KEYWORDS) == set()
