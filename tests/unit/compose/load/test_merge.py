from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wharf.compose.load.canonical import canonical
from wharf.compose.load.located import ComposeError, Map, settled
from wharf.compose.load.merge import merge, without_repeats
from wharf.compose.load.yaml import parse


def tree(text: str) -> Map:
    [found] = parse(text, "f.yaml")
    assert isinstance(found, Map)
    return without_repeats(canonical(found))


def merged(*texts: str) -> object:
    result: object = Map()
    for text in texts:
        result = settled(merge(result, tree(text)))
    return result


def service(*texts: str) -> dict[str, object]:
    result = merged(*(f"services: {{a: {text}}}" for text in texts))
    assert isinstance(result, Map)
    services = result["services"]
    assert isinstance(services, Map)
    found = services["a"]
    assert isinstance(found, Map)
    return found


@pytest.mark.parametrize(
    ("base", "over", "result"),
    [
        ("{image: x}", "{image: y}", {"image": "y"}),
        ("{command: a b}", "{command: [c]}", {"command": ["c"]}),
        ("{entrypoint: [a]}", "{entrypoint: []}", {"entrypoint": []}),
        ("{environment: [A=1, B=2]}", "{environment: {B: 3, C: 4}}", {"environment": {"A": "1", "B": "3", "C": "4"}}),
        ("{expose: ['80']}", "{expose: ['80', '81']}", {"expose": ["80", "81"]}),
        ("{cap_add: [A]}", "{cap_add: [B]}", {"cap_add": ["A", "B"]}),
        ("{dns: 1.1.1.1}", "{dns: [2.2.2.2]}", {"dns": ["1.1.1.1", "2.2.2.2"]}),
        (
            "{ulimits: {nofile: 5}}",
            "{ulimits: {nofile: {soft: 1, hard: 2}}}",
            {"ulimits": {"nofile": {"soft": 1, "hard": 2}}},
        ),
        ("{logging: {driver: x, options: {a: b}}}", "{logging: {driver: y}}", {"logging": {"driver": "y"}}),
        (
            "{logging: {driver: x, options: {a: b}}}",
            "{logging: {options: {c: d}}}",
            {"logging": {"driver": "x", "options": {"a": "b", "c": "d"}}},
        ),
        ("{image: x, tty: true}", "{tty: !reset null}", {"image": "x"}),
        ("{cap_add: [A]}", "{cap_add: !override [B]}", {"cap_add": ["B"]}),
        ("{environment: {A: 1, B: 2}}", "{environment: {A: !reset null}}", {"environment": {"B": "2"}}),
        ("{image: x}", "{image: null}", {"image": "x"}),
    ],
)
def test_one_service_over_another(base: str, over: str, result: dict[str, object]) -> None:
    assert service(base, over) == result


def test_mounts_meet_by_target_and_ports_by_all_they_say() -> None:
    volumes = service("{volumes: ['v1:/x', 'v2:/y']}", "{volumes: ['v3:/x:ro']}")["volumes"]
    ports = service("{ports: ['80:80', '81:81']}", "{ports: ['80:80', '82:81']}")["ports"]

    assert isinstance(volumes, list)
    assert isinstance(ports, list)
    assert [(m["source"], m["target"]) for m in volumes] == [("v3", "/x"), ("v2", "/y")]
    assert [port["published"] for port in ports] == ["80", "81", "82"]


def test_secrets_and_configs_meet_by_where_they_are_put() -> None:
    one = service("{secrets: [s], configs: [c]}", "{secrets: [{source: t, target: /run/secrets/s}], configs: [c]}")

    assert one["secrets"] == [{"source": "t", "target": "/run/secrets/s"}]
    assert one["configs"] == [{"source": "c"}]


def test_what_repeats_in_one_file_is_there_once() -> None:
    assert service("{volumes: ['v1:/x', 'v2:/x']}")["volumes"] == [
        {"type": "volume", "source": "v2", "target": "/x", "volume": {}}
    ]


def test_kinds_that_cannot_meet_are_refused_with_the_place() -> None:
    with pytest.raises(ComposeError, match=r"f.yaml:1: cannot override services.a.deploy: values of different kinds"):
        merge(tree("services: {a: {deploy: {replicas: 1}}}"), tree("services: {a: {deploy: x}}"))


def test_neither_tree_is_changed() -> None:
    base, over = tree("services: {a: {environment: [A=1]}}"), tree("services: {a: {environment: [B=1]}}")
    merge(base, over)

    assert base == tree("services: {a: {environment: [A=1]}}")
    assert over == tree("services: {a: {environment: [B=1]}}")


_TEXTS = st.sampled_from(["x", "y", "z"])
_SERVICE = st.fixed_dictionaries(
    {},
    optional={
        "image": _TEXTS,
        "command": st.lists(_TEXTS, max_size=2),
        "environment": st.dictionaries(_TEXTS, _TEXTS, max_size=2),
        "cap_add": st.lists(_TEXTS, max_size=2, unique=True),
        "volumes": st.lists(st.builds("v{}:/{}".format, _TEXTS, _TEXTS), max_size=2),
        "logging": st.fixed_dictionaries(
            {}, optional={"driver": _TEXTS, "options": st.dictionaries(_TEXTS, _TEXTS, max_size=2)}
        ),
        "deploy": st.fixed_dictionaries({}, optional={"replicas": st.integers(0, 3), "mode": _TEXTS}),
    },
)
_KEYS = ("cap_add", "volumes", "environment", "command", "logging", "deploy")
_MARKED = st.builds(
    lambda service, tags, resets: (
        "services: {a: {"
        + ", ".join(
            [
                *(f"{key}: {tags.get(key, '')}{_flow(value)}" for key, value in service.items()),
                *(f"{key}: !reset null" for key in sorted(resets - service.keys())),
            ]
        )
        + "}}"
    ),
    _SERVICE,
    st.dictionaries(st.sampled_from(_KEYS), st.just("!override "), max_size=2),
    st.sets(st.sampled_from(_KEYS), max_size=2),
)


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


@settings(max_examples=500)
@given(_MARKED, _MARKED, _MARKED)
def test_merging_is_associative(first: str, second: str, third: str) -> None:
    one, two, three = tree(first), tree(second), tree(third)

    assert settled(merge(merge(one, two), three)) == settled(merge(one, merge(two, three)))


_LOGGING = st.dictionaries(st.sampled_from(["driver", "options"]), _TEXTS, max_size=2).map(
    lambda said: {key: {value: value} if key == "options" else value for key, value in said.items()}
)


@settings(max_examples=300)
@given(st.lists(_LOGGING, min_size=3, max_size=4), st.integers(1, 2))
def test_logging_of_several_drivers_is_merged_alike_in_any_grouping(said: list[dict[str, object]], cut: int) -> None:
    trees: list[object] = [tree(f"services: {{a: {{logging: {_flow(one)}}}}}") for one in said]

    assert settled(reduce(merge, trees)) == settled(merge(reduce(merge, trees[:cut]), reduce(merge, trees[cut:])))


def test_options_of_a_driver_do_not_outlive_it_in_any_grouping() -> None:
    one, two, three = (
        tree(f"services: {{a: {{logging: {said}}}}}") for said in ("{driver: x}", "{options: {o: o}}", "{driver: y}")
    )

    assert (
        settled(merge(merge(one, two), three))
        == settled(merge(one, merge(two, three)))
        == {"services": {"a": {"logging": {"driver": "y"}}}}
    )


@given(_MARKED)
def test_merging_a_file_with_itself_or_with_nothing_changes_nothing(text: str) -> None:
    one = tree(text)

    assert settled(merge(one, one)) == settled(merge(Map(), one)) == settled(merge(one, Map())) == settled(one)
