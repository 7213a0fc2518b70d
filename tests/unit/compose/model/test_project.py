from __future__ import annotations

from tests.fakes.compose import project


def test_what_is_kept_beside_the_files_is_not_printed() -> None:
    found = project("services: {a: {image: x, profiles: [p]}}\nx-top: 1\n")

    assert list(found.disabled) == ["a"]
    assert found.printed() == {"name": "app", "services": {}, "x-top": 1}
    assert found.printed(as_json=True) == {"name": "app", "services": {}, "x-top": 1}


def test_every_kind_of_resource_is_printed() -> None:
    found = project("""
services: {a: {image: x, volumes: [vol:/v], configs: [c], secrets: [s], models: [m]}}
volumes: {vol: {}}
configs: {c: {content: c}}
secrets: {s: {environment: S}}
models: {m: {model: ai/x}}
""")

    assert found.printed()["volumes"] == {"vol": {"name": "app_vol"}}
    assert found.printed()["configs"] == {"c": {"name": "app_c", "content": "c"}}
    assert found.printed()["secrets"] == {"s": {"name": "app_s", "environment": "S"}}
    assert found.printed()["models"] == {"m": {"model": "ai/x"}}
    assert found.printed()["networks"] == {"default": {"name": "app_default"}}
    assert found.printed(as_json=True)["networks"] == {"default": {"name": "app_default", "ipam": {}}}
