from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose.load.convert import to_project
from wharf.compose.load.located import ComposeError, Map, Mark
from wharf.compose.model.base import Duration, Size


def test_values_have_their_types() -> None:
    service = project("services: {a: {image: x, mem_limit: 64m, stop_grace_period: 1m30s, scale: 2}}").services["a"]

    assert (service.mem_limit, service.stop_grace_period, service.replicas) == (
        Size(64 << 20),
        Duration(90 * 10**9),
        2,
    )
    assert service.name == "a"


def test_extensions_are_gathered_and_names_that_look_like_them_are_not() -> None:
    found = project("services: {x-web: {image: x, x-mine: {a: 1}, labels: {x-l: 1}}}\nx-top: [1]\n")

    assert found.extensions == {"x-top": [1]}
    assert found.services["x-web"].extensions == {"x-mine": {"a": 1}}
    assert found.services["x-web"].labels == {"x-l": "1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "services:\n  a:\n    image: x\n    mem_limit: big\n",
            "/app/compose.yaml:4: services.a.mem_limit: invalid size: 'big'",
        ),
        (
            "services:\n  a:\n    image: x\n    stop_grace_period: soon\n",
            "/app/compose.yaml:4: services.a.stop_grace_period: ",
        ),
    ],
)
def test_value_that_cannot_be_read_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ComposeError) as raised:
        project(text)

    assert str(raised.value).startswith(said)


def test_wrong_type_below_a_list_is_told_with_its_place() -> None:
    port = Map([("target", "x")], {"target": Mark("f", 9)})
    tree = Map([("services", Map([("a", Map([("ports", [port])], {"ports": Mark("f", 8)}))]))])

    with pytest.raises(ComposeError, match=r"f:8: services.a.ports.0.target: expected `int`, got `str`"):
        to_project(tree)
