from __future__ import annotations

from wharf.compose.load.canonical import canonical
from wharf.compose.load.located import Map
from wharf.compose.load.paths import is_remote, resolve_paths
from wharf.compose.load.yaml import parse


def resolved(text: str) -> Map:
    [tree] = parse(text, "f.yaml")
    assert isinstance(tree, Map)
    return resolve_paths(canonical(tree), "/base")


def test_relative_paths_are_below_the_base() -> None:
    tree = resolved("""
services:
  a:
    build: {context: ., additional_contexts: {x: ./more, y: service:b, z: docker-image://q}, ssh: [k=./key]}
    env_file: a.env
    volumes: [./src:/src, data:/data]
    develop: {watch: [{path: ./w, action: sync, target: /w}]}
    label_file: l
secrets: {s: {file: ./s}}
configs: {c: {file: /c}}
volumes: {v: {driver: local, driver_opts: {o: bind, device: ./d}}, w: {driver: local, driver_opts: {device: x}}}
""")
    services = tree["services"]
    assert isinstance(services, Map)
    service = services["a"]

    assert service == {
        "build": {
            "context": "/base",
            "additional_contexts": {"x": "/base/more", "y": "service:b", "z": "docker-image://q"},
            "ssh": {"k": "/base/key"},
        },
        "env_file": [{"path": "/base/a.env", "required": True}],
        "volumes": [
            {"type": "bind", "source": "/base/src", "target": "/src", "bind": {"create_host_path": True}},
            {"type": "volume", "source": "data", "target": "/data", "volume": {}},
        ],
        "develop": {"watch": [{"path": "/base/w", "action": "sync", "target": "/w"}]},
        "label_file": ["/base/l"],
    }
    assert (tree["secrets"], tree["configs"]) == ({"s": {"file": "/base/s"}}, {"c": {"file": "/c"}})
    assert tree["volumes"] == {
        "v": {"driver": "local", "driver_opts": {"o": "bind", "device": "/base/d"}},
        "w": {"driver": "local", "driver_opts": {"device": "x"}},
    }


def test_below_a_mark_of_merging_paths_are_resolved_too() -> None:
    assert "/base/x" in repr(resolved("services: {a: {env_file: !override [./x]}}"))


def test_contexts_elsewhere_are_no_paths() -> None:
    remote = ("https://x/y.git", "git@x:y", "github.com/x/y", "service:a", "docker-image://a", "oci-layout://a")

    assert all(is_remote(path) for path in remote)
    assert not any(is_remote(path) for path in ("./a", "a", "/a", "github"))
