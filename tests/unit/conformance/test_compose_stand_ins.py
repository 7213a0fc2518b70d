from __future__ import annotations

import json
from pathlib import Path

from conformance.compose_stand_ins import OVERRIDE, complete

_EXAMPLE = """\
include: [../other/compose.yaml]
services:
  a:
    environment: !override {A: 1}
    depends_on: {b: {condition: service_healthy}, c: {condition: service_started}}
    networks: [back]
    volumes: ["data:/data", ./here:/here]
    env_file: ./a.env
  b: {image: x, secrets: [s]}
  d: {build: {context: ./d, target: t}}
  e: {build: "https://example.com/e.git"}
secrets: {s: {file: ./s.txt}}
volumes: {there: {external: true, name: theirs}}
"""


def test_an_example_gets_what_it_refers_to(tmp_path: Path) -> None:
    path = tmp_path / "app/compose.yaml"
    path.parent.mkdir()
    path.write_text(_EXAMPLE)
    more, external = complete(path)
    override = json.loads((path.parent / OVERRIDE).read_text().replace("!override ", ""))
    written = {str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if one.is_file()}

    assert (more, external) == (OVERRIDE, (("volumes", "theirs"),))
    assert {name: sorted(one) for name, one in override["services"].items()} == {
        "a": ["command", "image", "stop_grace_period"],
        "b": ["healthcheck"],
        "c": ["command", "image", "stop_grace_period"],
        "e": ["build"],
    }
    assert (override["networks"], override["volumes"]) == ({"back": {}}, {"data": {}})
    assert written == {
        "app/compose.yaml", f"app/{OVERRIDE}", "app/stand-in.txt", "app/a.env", "app/there", "app/s.txt",
        "app/d/Dockerfile", "app/d/there", "app/Dockerfile", "other/compose.yaml",
    }  # fmt: skip
    assert (path.parent / "d/Dockerfile").read_text().startswith("FROM busybox AS t\n")


def test_nothing_is_written_elsewhere_and_what_is_no_yaml_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "app/compose.yaml"
    path.parent.mkdir()
    path.write_text("services: {a: {image: x, env_file: ../../../outside.env}}")
    complete(path)
    assert not (tmp_path.parent / "outside.env").exists()

    path.write_text("services: [")
    assert complete(path) == ("", ())


def test_what_is_not_there_is_stood_in_for_by_what_is(tmp_path: Path) -> None:
    path = tmp_path / "app/compose.yaml"
    path.parent.mkdir()
    path.write_text("""\
services:
  A: {build: ~/elsewhere}
  c: {image: x, volumes: [{type: volume, source: w, target: /w, volume: {subpath: part}}]}
  b: {image: x, blkio_config: {weight: 300, device_read_bps: [{path: /dev/not-there, rate: 1}]}}
networks: {n: {driver: custom, driver_opts: {a: b}}, m: {driver: bridge}}
volumes: {v: {driver: custom, driver_opts: {a: b}}, w: {}}
secrets: {s: {external: true}}
configs: {c: {external: true}}
""")
    complete(path)
    text = (path.parent / OVERRIDE).read_text()
    override = json.loads(text.replace("!override ", ""))
    [limit] = override["services"]["b"]["blkio_config"]["device_read_bps"]

    assert (override["networks"], override["volumes"]) == (
        {"n": {"driver": "bridge"}},
        {
            "v": {"driver": "local"},
            "w": {"driver": "local", "driver_opts": {"type": "none", "o": "bind", "device": "./"}},
        },
    )
    assert (tmp_path / "app/part/there").exists()
    assert override["secrets"] == {"s": {"file": "stand-in.txt"}}
    assert (override["configs"], override["services"]["A"]) == (
        {"c": {"file": "stand-in.txt"}},
        {"image": "stand-in"},
    )
    assert (limit["rate"], Path(limit["path"]).exists()) == (1, True)
    assert text.count("!override ") == 5  # nothing that is stood in for is merged with
    assert (tmp_path / "elsewhere/Dockerfile").exists()
