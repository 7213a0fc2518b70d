from __future__ import annotations

import json

import pytest
from tests.root.compose.conftest import Compose

pytestmark = pytest.mark.root


def test_images_are_built_in_order_with_arguments_and_secrets(compose: Compose) -> None:
    compose.write("""
services:
  a: {build: {context: ., args: [W], secrets: [{source: s, uid: "5", gid: "6", mode: 0o440}]}, image: "app-own:1"}
  b: {image: busybox}
secrets: {s: {file: ./secret}}
""")
    compose.write("whose\n", "secret")
    secret = 'test "$(stat -c %u:%g:%a /run/secrets/s)" = 5:6:440'
    compose.write(f"FROM busybox\nARG W\nRUN --mount=type=secret,id=s {secret} && echo $W >/w\n", "Dockerfile")

    assert compose.done("build", "--dry-run") == "image:app-own:1, BuildImage, build\n"
    compose.done("build", "--build-arg", "W=word", "-q")
    assert compose.cli("run", "--rm", "app-own:1", "cat", "/w").out == "word\n"
    compose.cli("rmi", "app-own:1")


def test_builds_may_be_looked_at_only_or_printed_for_bake(compose: Compose) -> None:
    compose.write("services: {a: {build: {context: ., dockerfile_inline: 'FROM busybox as x'}}, b: {image: busybox}}")
    done = compose("build", "--check")
    assert (done.code, "FromAsCasing" in done.out) == (1, True)
    printed = json.loads(compose.done("build", "--print", "--no-cache", "--ssh", "one=/s", "a"))
    assert (printed["target"]["a"]["no-cache"], printed["target"]["a"]["ssh"]) == (True, ["one=/s"])


def test_image_that_no_registry_has_is_built(compose: Compose) -> None:
    compose.write(
        "services: {a: {build: {dockerfile_inline: FROM busybox}, image: 'localhost:1/none', command: 'true'}}"
    )
    done = compose("up", "-d")

    assert (done.code, "Image localhost:1/none  Warning: " in done.err) == (0, True), done
    assert "Warning" not in compose("up", "-d").err
    compose.done("down", "--rmi", "all")


def test_build_that_fails_says_why(compose: Compose) -> None:
    compose.write("services: {a: {build: .}}")
    compose.write("FROM busybox\nRUN echo before; exit 9\n", "Dockerfile")
    done = compose("build", "-q")

    assert done.code == 1
    assert "target a: failed to solve" in done.err
    assert "before" in done.err


def test_what_cannot_be_pulled_is_told_or_forgiven(compose: Compose) -> None:
    compose.write("services: {a: {image: 'localhost:1/none'}, b: {build: ., image: 'localhost:1/built'}}")

    assert compose("pull", "--ignore-buildable").code == 1
    forgiven = compose("pull", "--ignore-pull-failures", "-q")
    assert (forgiven.code, forgiven.err.count("WARNING: localhost:1/")) == (0, 2)
    assert compose.done("push", "--dry-run") == "image:localhost:1/built, PushImage, push\n"


def test_builder_of_buildkit_is_refused(compose: Compose) -> None:
    compose.write("services: {a: {build: .}}")

    assert "is not supported here" in compose("build", "--builder", "b").err


def test_how_an_image_was_made_is_said_on_demand(compose: Compose) -> None:
    compose.write("services: {a: {build: {dockerfile_inline: FROM busybox}}}")
    compose.done("build", "--provenance", "mode=max")

    manifests = compose.daemon.get("/images/app-a/json?manifests=1")["Manifests"]
    assert [one["Kind"] for one in manifests] == ["image", "attestation"]
    compose.cli("rmi", "app-a")
