from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose.load.located import ComposeError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "services:\n  a: {}\n",
            '2: service "a" has neither an image nor a build context specified: invalid compose project',
        ),
        (
            "services:\n  a:\n    image: x\n    depends_on:\n      - b\n",
            '5: service "a" depends on undefined service "b"',
        ),
        ("services: {a: {image: x, networks: [n]}}", '1: service "a" refers to undefined network n'),
        ("services: {a: {image: x, volumes: ['vol:/x']}}", '1: service "a" refers to undefined volume vol'),
        ("services: {a: {image: x, secrets: [s]}}", '1: service "a" refers to undefined secret s'),
        ("services: {a: {image: x, configs: [c]}}", '1: service "a" refers to undefined config c'),
        ("services: {a: {image: x, models: [m]}}", '1: service "a" refers to undefined model m'),
        ("services: {a: {build: {context: ., secrets: [s]}}}", '1: service "a" refers to undefined build secret s'),
        (
            "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}",
            "1: dependency cycle detected: a -> b -> a",
        ),
        (
            "services: {a: {image: x, network_mode: host, networks: [default]}}",
            "1: service a declares mutually exclusive `network_mode` and `networks`",
        ),
        (
            "services: {a: {image: x, container_name: one}, b: {image: x, container_name: one}}",
            '1: services.b: container name "one" is already in use by service a',
        ),
        (
            "services: {a: {image: x, container_name: one, scale: 2}}",
            "1: services.a: can't set container_name and scale",
        ),
        (
            "services: {a: {image: x, scale: 2, deploy: {replicas: 3}}}",
            "1: services.a: can't set distinct values on 'scale' and 'deploy.replicas'",
        ),
        (
            "services: {a: {image: x, mem_limit: 1m, deploy: {resources: {limits: {memory: 2m}}}}}",
            "1: services.a: can't set distinct values on 'mem_limit' and 'deploy.resources.limits.memory'",
        ),
        ("services: {a: {image: x, healthcheck: {test: [curl]}}}", "1: healthcheck.test must start either by"),
        (
            "services: {a: {image: x, develop: {watch: [{path: p, action: sync}]}}}",
            "1: services.a.develop.watch: target is",
        ),
        (
            "services: {a: {image: x, develop: {watch: [{path: p, action: sync+exec, target: t}]}}}",
            "1: services.a.develop.watch: can",
        ),
        (
            "services: {a: {build: {context: ., dockerfile: d, dockerfile_inline: i}}}",
            '1: service "a" declares mutualy exclusive',
        ),
        (
            "services: {a: {platform: p, build: {context: ., platforms: [q]}}}",
            "1: service.build.platforms MUST include",
        ),
        (
            "services: {a: {build: {context: ., additional_contexts: {x: 'service:b'}}}}",
            '1: service "a" declares unknown service "b"',
        ),
        (
            "services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {}}\n",
            "2: secrets.s: one of file|environment must be set",
        ),
        (
            "services: {}\nconfigs: {c: {file: f, content: c}}\n",
            "2: configs.c: file|environment|content attributes are mutually",
        ),
        (
            "services: {}\nsecrets: {s: {file: f, external: true}}\n",
            "2: secrets.s: file|environment attributes are mutually",
        ),
        (
            "services: {}\nnetworks: {n: {external: true, driver: d}}\n",
            "2: networks.n: conflicting parameters with external",
        ),
        (
            "services: {}\nvolumes: {v: {external: true, driver: d}}\n",
            "2: volumes.v: conflicting parameters with external",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ComposeError) as raised:
        project(text)

    assert str(raised.value).startswith(f"/app/compose.yaml:{said}")


@pytest.mark.parametrize(
    "text",
    [
        "services: {a: {image: x,depends_on: {c: {required: false,condition: service_started}}}, c: {profiles: [p]}}",
        "services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {external: true}}\n",
        "services: {a: {provider: {type: t}}}",
        "services: {a: {image: x, scale: 2, deploy: {replicas: 2}}}",
    ],
)
def test_what_is_consistent_is_let_through(text: str) -> None:
    assert "a" in project(text).services


def test_checks_can_be_left_out() -> None:
    assert "a" in project("services: {a: {}}", consistent=False).services
