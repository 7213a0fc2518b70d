from __future__ import annotations

import pytest
from tests.fakes.compose import loaded

from wharf.compose.load.located import ComposeError
from wharf.compose.load.unsupported import limits_of


def told(text: str) -> list[str]:
    found = loaded(text)
    return limits_of(found.tree, found.project.services)


def test_what_a_service_goes_without_is_told_with_its_place() -> None:
    text = """\
services:
  web:
    image: x
    deploy:
      mode: global
      update_config: {parallelism: 2}
    ports:
      - {target: 80, name: http}
  off:
    image: x
    profiles: [never]
    deploy: {mode: global}
"""

    cluster = "it is about the machines of a cluster, and this is one host"
    assert told(text) == [
        f"/app/compose.yaml:5: services.web.deploy.mode is not supported here: {cluster}",
        f"/app/compose.yaml:6: services.web.deploy.update_config is not supported here: {cluster}",
        "/app/compose.yaml:8: services.web.ports.0.name is not supported here: nothing here makes use of it",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {external: true}}",
         "/app/compose.yaml:2: secrets.s.external is not supported here: secrets outside of a project need a swarm"),
    ],
)  # fmt: skip
def test_what_cannot_be_gone_without_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ComposeError) as raised:
        told(text)

    assert str(raised.value).startswith(said)


def test_what_is_said_to_be_usual_is_no_limit() -> None:
    assert told("services: {a: {image: x, deploy: {mode: replicated}, ports: [{target: 80, mode: ingress}]}}") == []
