from __future__ import annotations

from tests.fakes.compose import project

from wharf.compose.bake import bake_document

APP = project("""
services:
  web.front:
    image: me/web
    build:
      context: ./web
      dockerfile: D
      target: prod
      args: {A: "${B}", C: "$${kept}"}
      additional_contexts: {base: "service:base", docs: ./docs}
      secrets: [token, {source: key, target: k}]
      ssh: [default, other=/s]
      ulimits: {nofile: 5, nproc: {soft: 1, hard: 2}}
      shm_size: 1m
      platforms: [linux/amd64, linux/arm64]
      provenance: true
      sbom: false
      privileged: true
  base: {build: {dockerfile_inline: "FROM x\\nRUN echo $${Y}"}}
  other: {image: x}
secrets: {token: {environment: TOKEN}, key: {file: ./key}}
""", variables={"B": "b"})  # fmt: skip


def test_builds_are_targets_as_docker_compose_writes_them() -> None:
    found = bake_document(APP, ["web.front"], push=True, check=False)
    labels = {name: f"com.docker.compose.{name}" for name in ("project", "service", "version")}

    assert found["group"] == {"default": {"targets": ["web_front"]}}
    targets = found["target"]
    assert isinstance(targets, dict)
    web = targets["web_front"]
    assert sorted(web.pop("labels")) == sorted(labels.values())
    assert web == {
        "context": "/app/web",
        "contexts": {"base": "target:base", "docs": "/app/docs"},
        "dockerfile": "/app/web/D",
        "args": {"A": "b", "C": "$${kept}"},
        "tags": ["me/web"],
        "target": "prod",
        "secret": ["id=token,type=env,env=TOKEN", "id=k,type=file,src=/app/key"],
        "ssh": ["default", "other=/s"],
        "platforms": ["linux/amd64", "linux/arm64"],
        "shm-size": "1048576",
        "ulimits": ["nofile=5", "nproc=1:2"],
        "entitlements": ["security.insecure"],
        "output": ["type=image,push=true"],
        "attest": ["type=provenance"],
    }
    assert (targets["base"]["tags"], targets["base"]["output"]) == (["app-base"], ["type=docker"])
    assert targets["base"]["dockerfile-inline"] == "FROM x\nRUN echo $${Y}"


def test_dockerfiles_may_be_looked_at_only() -> None:
    targets = bake_document(APP, [], push=False, check=True)["target"]

    assert isinstance(targets, dict)
    assert (targets["base"]["call"], "output" in targets["base"]) == ("lint", False)
